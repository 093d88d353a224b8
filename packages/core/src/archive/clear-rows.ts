import type { Clock } from "../kernel/clock.ts";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import { type BatchOutline, isLast } from "../table/batch.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";
import type { ArchivedStream } from "./settle.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/**
 * A batch stays stored for at least this long after its publication, because a search for the
 * events of an Idempotency-Key reads back that far: see `claim-plan.ts`.
 */
const STORED_MS = 10 * DAY_MS;
/** How often batches are removed. Each look costs the read of a batch. */
const CLEAR_EVERY_MS = HOUR_MS;
/** After archiving has stopped, a publisher may treat the stream as archived for another minute. */
const STALE_MS = HOUR_MS;
/** The number of batches that are removed together. */
const ROWS = 25;

/**
 * Removes the batches below the floor that DynamoDB does not remove by itself, oldest first. The
 * floor of an archived stream is never above the archive watermark, so nothing is removed that the
 * archive lacks. After archiving has stopped, it also finds the end of such batches. Returns the
 * number of removed batches.
 */
export async function clearRows(
  { table, clock }: Deps,
  { life }: ArchivedStream,
  partition: number,
  mayGoOn: () => boolean,
): Promise<number> {
  const checkpoint = await table.checkpoints.load(life, partition);
  const nowMs = clock.now();
  if (!isClearDue(checkpoint, nowMs)) return 0;
  const { clearedTo: from } = checkpoint;
  let removed = 0;
  let at = from;
  for (;;) {
    const { batches, more } = await table.batches.loadOutlines(life, partition, at, ROWS);
    const cut = batches.findIndex((batch) => !isOver(batch, { checkpoint, nowMs }));
    const over = cut === -1 ? batches : batches.slice(0, cut);
    const kept = over.filter(({ keptUntil }) => keptUntil !== undefined);
    const firsts = kept.map(({ first }) => first);
    const done = await table.batches.deleteSome(life, partition, firsts);
    removed += done;
    // The table may leave a part for later. The next query finds it again.
    if (done < firsts.length && mayGoOn()) continue;
    if (done < firsts.length) return removed;
    at = Math.max(at, ...over.map(({ first, count }) => first + count));
    if (cut !== -1 || !more || !mayGoOn()) {
      const next = batches[cut];
      const hasEnded = next !== undefined && endsClearing(checkpoint, next);
      const clearAfter = Math.max(nowMs + CLEAR_EVERY_MS, next === undefined ? 0 : dueAt(next));
      const to = { clearedTo: Math.min(at, clearBound(checkpoint)), clearAfter };
      await table.segments.noteCleared({ life, partition }, from, hasEnded ? undefined : to);
      return removed;
    }
  }
}

type Clearing = Checkpoint & { readonly clearedTo: number };

function isClearDue(checkpoint: Checkpoint | undefined, nowMs: number): checkpoint is Clearing {
  if (checkpoint?.clearedTo === undefined) return false;
  const { clearedTo, clearAfter = 0, floor, stoppedAt } = checkpoint;
  return (clearedTo < floor || stoppedAt !== undefined) && nowMs >= clearAfter;
}

/** A repair of the numbering moves the floor above the watermark. The batches in between wait. */
const clearBound = ({ floor, archiving, archivedTo = 0 }: Clearing): number =>
  archiving === true ? Math.min(floor, archivedTo) : floor;

/** Returns whether nothing needs a batch any more. */
const isOver = (
  batch: BatchOutline,
  { checkpoint, nowMs }: { readonly checkpoint: Clearing; readonly nowMs: number },
): boolean =>
  !isLast(batch) && batch.first + batch.count <= clearBound(checkpoint) && dueAt(batch) <= nowMs;

const dueAt = ({ publishedAt }: BatchOutline): number => publishedAt + STORED_MS + CLOCKS_APART_MS;

/** Returns whether DynamoDB removes this batch and all later ones. Pure. */
const endsClearing = ({ stoppedAt = Infinity }: Clearing, batch: BatchOutline): boolean =>
  batch.keptUntil === undefined &&
  batch.publishedAt > stoppedAt + STALE_MS + CLOCKS_APART_MS &&
  !isLast(batch);
