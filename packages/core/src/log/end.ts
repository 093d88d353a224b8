import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import { streamNotFound } from "../kernel/error.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Life } from "../model/names.ts";
import type { Sightings } from "../model/sightings.ts";
import { type BatchOutline, lastsUntil } from "../table/batch.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";

/** The end of a partition: the only place where the next batch may be written. */
export type End = {
  readonly next: number;
  /** Lower bounds for the times of a new batch, in milliseconds and seconds since 1970. */
  readonly publishedAt: number;
  readonly expiresAt: number;
  /** The last ticket that was served, if writers take tickets. */
  readonly ticket?: number | undefined;
  /** The number of consecutive free tickets up to that one: no other writer was before them. */
  readonly free?: number | undefined;
  /**
   * The moment before the read or the put that showed the end. The chain reached `next` some time
   * after this moment. If a lost race showed the end, the chain may already have been longer.
   */
  readonly stamp: Stamp;
};

export type SeenEnd = End & {
  /** True when the life of the stream has ended. Nothing can be written after the seal. */
  readonly sealed: boolean;
  /** True when the stream continues in the partitions of the next epoch. */
  readonly turned: boolean;
  readonly checkpoint: Checkpoint;
};

/**
 * Returns the end of a partition, strongly consistent. It reads the last batch before the
 * checkpoint. Rows expire in any order, so the last remaining batch may not be the last written
 * one, but every expired batch is below the checkpoint. Throws `stream-not-found` when the
 * partition is gone.
 */
export async function loadEnd(
  { table, clock, sightings }: { table: Table; clock: Clock; sightings?: Sightings | undefined },
  life: Life,
  partition: number,
): Promise<SeenEnd> {
  const stamp = takeStamp(clock);
  let last = await table.batches.loadLast(life, partition);
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  // Either all batches have expired, or a later one was written and compacted after the first read.
  // In both cases the checkpoint's times count.
  if (endAfter(last) < checkpoint.next)
    last = (await table.batches.loadLast(life, partition)) ?? last;
  // Compaction stops at batch edges. A batch that begins below such an edge and ends above it came
  // from a late writer and does not count.
  const next = isBelow(last, checkpoint.next) ? checkpoint.next : endAfter(last);
  sightings?.sawEnd(life, partition, next);
  return {
    next,
    publishedAt: last?.publishedAt ?? 0,
    expiresAt: last === undefined ? 0 : (lastsUntil(last) ?? 0),
    ticket: last?.ticket,
    free: last?.free,
    stamp,
    sealed: last?.kind === "seal",
    turned: last?.kind === "turn",
    checkpoint,
  };
}

/**
 * The end of a partition for those who do not write there. `last` is the last batch, unless it is
 * compacted.
 */
export type EndPlace = Pick<SeenEnd, "next" | "sealed" | "turned" | "checkpoint"> & {
  readonly last: BatchOutline | undefined;
};

/**
 * Returns the end of a partition like `loadEnd`, without reading what is compacted: a batch may be
 * large, and is charged whole. Throws `stream-not-found` when the partition is gone.
 */
export async function loadEndPlace(
  deps: { table: Table; clock: Clock; sightings?: Sightings | undefined },
  life: Life,
  partition: number,
): Promise<EndPlace> {
  const { table, clock, sightings } = deps;
  const stamp = takeStamp(clock);
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  const last = await table.batches.loadLast(life, partition, checkpoint.next);
  // After a long pause, batches after that checkpoint may be gone too.
  if (ageMs(clock, stamp) > MINUTE_MS) return { ...(await loadEnd(deps, life, partition)), last };
  const next = last === undefined ? checkpoint.next : endAfter(last);
  sightings?.sawEnd(life, partition, next);
  const { kind } = last ?? {};
  return { next, last, sealed: kind === "seal", turned: kind === "turn", checkpoint };
}

/**
 * Returns whether a batch begins below a batch edge. Such a batch cannot show the end of the chain.
 */
export const isBelow = (last: BatchOutline | undefined, edge: number): boolean =>
  last === undefined || last.first < edge;

const endAfter = (last: BatchOutline | undefined): number =>
  last === undefined ? 1 : last.first + last.count;
