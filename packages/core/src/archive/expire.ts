import type { Clock } from "../kernel/clock.ts";
import { DAY_MS } from "../kernel/time.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import { type Objects, ObjectsLocked } from "../objects/objects.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import { allObjectsOf, type Segment } from "../table/segment.entity.ts";
import type { Table } from "../table/table.ts";
import type { ArchivedStream } from "./settle.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly objects: Objects };

const SEGMENTS = 20;

/**
 * Removes the segments of a partition whose days are over, oldest first, until none is left or
 * `mayGoOn` returns false. Readers are refused first, then the object goes, then its row. So every
 * step can be repeated, and a reader that misses an object can tell why. Returns the number of
 * removed segments.
 */
export async function expireSegments(
  deps: Deps,
  { life, archiveKeptDays = Infinity }: ArchivedStream,
  partition: number,
  mayGoOn: () => boolean,
): Promise<number> {
  const { table, clock, objects } = deps;
  const place = { life, partition };
  const keptSince = clock.now() - archiveKeptDays * DAY_MS - CLOCKS_APART_MS;
  for (let removed = 0; ; ) {
    const { segments } = await table.segments.loadFrom(place, 0, SEGMENTS);
    const over = segments.filter(({ lastAt }) => lastAt < keptSince);
    if (over.length === 0) return removed;
    for (const segment of over) {
      if (!mayGoOn()) return removed;
      const checkpoint = await table.checkpoints.load(life, partition);
      if (checkpoint === undefined) return removed;
      if (!(await passOver(table, place, checkpoint, segment))) return removed;
      try {
        await objects.remove(allObjectsOf(segment));
      } catch (error) {
        // If the days were shortened, the lock lasts longer than they do.
        if (error instanceof ObjectsLocked) return removed;
        throw error;
      }
      await table.segments.remove(place, segment.first);
      removed++;
    }
  }
}

/** Returns whether readers are refused in this segment from now on. */
async function passOver(
  table: Table,
  place: { readonly life: ArchivedStream["life"]; readonly partition: number },
  checkpoint: Checkpoint,
  { next, events, storedBytes }: Segment,
): Promise<boolean> {
  const { archivedFrom = 0, archivedTo = 0, archived } = checkpoint;
  // The segment is from an earlier run of the archive. Readers cannot reach it any more, but it is
  // not subtracted from the totals so far.
  if (next <= archivedFrom || archived === undefined) return true;
  return table.segments.move(place, checkpoint, {
    archivedFrom: Math.min(next, archivedTo),
    archived: {
      ...archived,
      segments: archived.segments - 1,
      events: archived.events - events,
      storedBytes: archived.storedBytes - storedBytes,
    },
  });
}
