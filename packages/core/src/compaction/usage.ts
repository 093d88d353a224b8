import type { Clock } from "../kernel/clock.ts";
import { type Life, ownerOf, type ScopedName } from "../model/names.ts";
import {
  addToHours,
  byDay,
  dayOf,
  endingWith,
  type HourTally,
  hourOf,
  planKeep,
  publishedBytes,
  withState,
} from "../model/usage.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";
import { planMove } from "./compaction-plan.ts";
import { emptySection, extendSection, type SafePoint } from "./section.ts";

type Span = { readonly from: number; readonly safePoints: readonly SafePoint[] };

/**
 * Adds the events of a section between two of its places to the hours of a partition. Every place
 * is the end of a batch. `sizeAt` returns the size of the compacted state at the ends of hours and
 * at the second place, if it is known. Pure.
 */
export function countHours(
  hours: readonly HourTally[],
  { safePoints }: Span,
  { after, to }: { readonly after: number; readonly to: number },
  sizeAt: (place: SafePoint) => number | undefined = () => undefined,
): readonly HourTally[] {
  let counted = hours;
  let before = { events: 0, bytes: 0 };
  for (const safePoint of safePoints) {
    if (safePoint.to > to) break;
    const events = safePoint.events - before.events;
    const bytes = publishedBytes(safePoint.bytes - before.bytes, events);
    if (safePoint.to > after) {
      counted = addToHours(counted, safePoint.publishedAt, { events, bytes });
      const isEnd = safePoint.isStop === true || safePoint.to === to;
      if (isEnd) counted = endingWith(counted, sizeAt(safePoint));
    }
    before = safePoint;
  }
  return counted;
}

type Deps = { readonly table: Table };

/** The partition whose hours are kept, and what its rows say about it. */
export type KeptOf = {
  readonly life: Life;
  readonly partition: number;
  readonly retentionHours?: number | undefined;
  readonly checkpoint: Pick<Checkpoint, "archived">;
  /** The events of the partition up to these hours. */
  readonly total: number;
};

/**
 * Writes the hours that are due as rows, and returns the hours that stay in the checkpoint. The
 * rows are written before the checkpoint, and again after a crash. A row has the same numbers
 * whichever run writes it, because the log decides them.
 */
export async function keepHours(
  { table }: Deps,
  { life, partition, retentionHours, checkpoint, total }: KeptOf,
  hours: readonly HourTally[],
  when: { readonly nowMs: number; readonly all: boolean },
): Promise<readonly HourTally[]> {
  const { due, rest } = planKeep(hours, when);
  const tenant = ownerOf(nameOf(life));
  const state = {
    total,
    ...(retentionHours === undefined ? {} : { retentionHours }),
    ...(checkpoint.archived === undefined
      ? {}
      : { archivedBytes: checkpoint.archived.storedBytes }),
  };
  for (const [day, some] of byDay(due)) {
    const stored = some.map(([hour, events, bytes, , state]) =>
      withState([hour, events, bytes], state),
    );
    await table.usage.keep({ tenant, day, life, partition, hours: stored, ...state });
  }
  return rest;
}

/** Returns the stream of a life. */
const nameOf = (life: Life): ScopedName => life.slice(0, life.indexOf("#")) as ScopedName;

const ROWS = 500;

/**
 * Counts what an ended life has published after its checkpoint, and keeps all hours of it. Nothing
 * can be published any more, and no batch is removed yet. Repeating the call is harmless: once the
 * checkpoint is at the seal, nothing is left to count. Returns false when another run was faster.
 */
export async function keepLastHours(
  deps: Deps & { readonly clock: Clock },
  { life, sealedAt }: { readonly life: Life; readonly sealedAt: number },
  partition: number,
): Promise<boolean> {
  const { table, clock } = deps;
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined || checkpoint.counted === true) return true;
  let section = emptySection(checkpoint.next);
  for (let more = true; more && section.stop === undefined; ) {
    const page = await table.batches.loadFrom(life, partition, section.to, ROWS);
    section = extendSection(section, page.batches, { keepKeys: false });
    more = page.more;
  }
  const nowMs = clock.now();
  const whole = { after: checkpoint.next, to: section.to };
  const hours = countHours(checkpoint.usage ?? [], section, whole);
  const to = planMove(checkpoint, section, { next: section.to, atMs: nowMs });
  const of = { life, partition, checkpoint, total: to.events };
  const usage = await keepHours(deps, of, hours, { nowMs, all: true });
  const day = dayOf(hourOf(sealedAt));
  const tenant = ownerOf(nameOf(life));
  const end = { hours: [], total: to.events, endedAt: sealedAt };
  await table.usage.keep({ tenant, day, life, partition, ...end });
  const move = { ...to, usage, counted: true };
  return table.checkpoints.move(life, partition, checkpoint.next, move, checkpoint.checkedAt);
}
