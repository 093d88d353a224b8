import { invalidCursor } from "../../cursor/cursor.ts";
import type { Clock } from "../../kernel/clock.ts";
import { invalidRequest, streamNotFound } from "../../kernel/error.ts";
import { earliestOf } from "../../model/archive.ts";
import { TurnReached } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { Batch } from "../../table/batch.ts";
import type { Checkpoint } from "../../table/checkpoint.entity.ts";
import type { Table } from "../../table/table.ts";
import { seekCold } from "../cold/cold-read.ts";
import type { Segments } from "../cold/segments.ts";
import { loadEndPlace } from "../end.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/** Returns the first readable position, strongly consistent. */
export async function seekEarliest(
  { table }: Deps,
  life: Life,
  partition: number,
): Promise<Position> {
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  return edgeAt(earliestOf(checkpoint));
}

/**
 * Returns the position after everything that was durable before the call, strongly consistent.
 * Throws `TurnReached` where the chain has ended.
 */
export async function seekLatest(deps: Deps, life: Life, partition: number): Promise<Position> {
  const end = await loadEndPlace(deps, life, partition);
  if (end.sealed) throw streamNotFound();
  if (end.turned) throw new TurnReached();
  return edgeAt(end.next);
}

/**
 * Returns the position of the first event published at `timeMs` or later, in the archive or in the
 * table, or the end when there is none. `end` is where the partition ends, if it belongs to an
 * earlier epoch. Throws `TurnReached` where any other partition has ended.
 */
export async function seekTime(
  deps: Deps & { readonly segments: Segments },
  life: Life,
  partition: number,
  timeMs: number,
  end?: number,
): Promise<Position> {
  const chain = { life, partition, end };
  const isReached = (checkpoint: Checkpoint) => earliestOf(checkpoint) < checkpoint.floor;
  return edgeAt((await findTime(deps, chain, timeMs, isReached)).next);
}

/** A partition. `end` is where it ends, if it belongs to an earlier epoch. */
export type Chain = {
  readonly life: Life;
  readonly partition: number;
  readonly end: number | undefined;
};

/**
 * The place of a time. `next` is the first event that was published then or later, among those that
 * can be read. All events before `before` were published earlier. If the two differ, events in
 * between may be lost.
 */
export type FoundTime = Search & { readonly checkpoint: Checkpoint };

/** Finds the place of a time in the table, and in the archive of a partition if `hasArchive`. */
export async function findTime(
  deps: Deps & { readonly segments: Segments },
  { life, partition, end }: Chain,
  timeMs: number,
  hasArchive: (checkpoint: Checkpoint) => boolean,
): Promise<FoundTime> {
  const isReached = ({ publishedAt }: Batch) => publishedAt >= timeMs;
  const kept = await findBatch(deps, life, partition, isReached, end === undefined);
  if (kept.before === kept.next || kept.checkpoint.archivedTo === undefined) return kept;
  // The floor may have passed rows that the search has missed.
  const checkpoint = await deps.table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  if (kept.next > checkpoint.floor || !hasArchive(checkpoint)) return { ...kept, checkpoint };
  const cold = await seekCold(deps, { ...checkpoint, life, partition }, timeMs);
  const { next = kept.next, before = kept.before } = cold;
  return { checkpoint, next, before };
}

/**
 * Returns the position of the first event published at `timeMs` or later among the events that the
 * table keeps. Publication times never decrease along a chain.
 */
export const seekKeptTime = (
  deps: Deps,
  life: Life,
  partition: number,
  timeMs: number,
): Promise<Position> =>
  seekBatch(deps, life, partition, ({ publishedAt }) => publishedAt >= timeMs);

/**
 * Returns the first batch with a property that all later batches have too, or the end when there is
 * none. A missing batch counts as one without the property.
 */
export const seekBatch = async (
  deps: Deps,
  life: Life,
  partition: number,
  isReached: (batch: Batch) => boolean,
): Promise<Position> => edgeAt((await findBatch(deps, life, partition, isReached)).next);

/**
 * Returns the same place with the checkpoint. With `goesOn`, throws `TurnReached` if the stream
 * continues in the partitions of the next epoch.
 */
async function findBatch(
  deps: Deps,
  life: Life,
  partition: number,
  isReached: (batch: Batch) => boolean,
  goesOn = false,
): Promise<FoundTime> {
  const end = await loadEndPlace(deps, life, partition);
  if (end.sealed) throw streamNotFound();
  if (end.turned && goesOn) throw new TurnReached();
  const { checkpoint, next } = end;
  const range = { low: checkpoint.floor, high: next };
  return {
    ...(await searchBatches(deps.table, { life, partition }, range, isReached)),
    checkpoint,
  };
}

/** `next` is the first batch with a property, `before` the end of the last one found without it. */
export type Search = { readonly next: number; readonly before: number | undefined };

/** A binary search with O(log n) reads of one batch each. */
export async function searchBatches(
  table: Table,
  { life, partition }: Pick<Chain, "life" | "partition">,
  range: { readonly low: number; readonly high: number },
  isReached: (batch: Batch) => boolean,
): Promise<Search> {
  let { low, high } = range;
  let before: number | undefined;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const batch = await table.batches.loadAtOrBefore(life, partition, middle);
    if (batch === undefined || batch.first < low) {
      low = middle + 1;
    } else if (isReached(batch)) {
      high = batch.first;
    } else {
      low = batch.first + batch.count;
      before = low;
    }
  }
  return { next: high, before };
}

/** A number this large is a time in seconds or milliseconds, so the problem suggests one. */
const remedyFor = (sequence: number): string =>
  sequence < 1e9 ? "Name an earlier one" : "A time is written as in 2026-11-24T08:30:00Z";

/**
 * Returns the position of a sequence number, which may be inside a batch or be that of the next
 * event. Throws `invalid-request` for a higher number, which must be something else, such as a time
 * in milliseconds. Throws `invalid-cursor` for a sequence that a restore has lost.
 */
export async function seekSequence(
  deps: Deps,
  life: Life,
  partition: number,
  { sequence, pointer }: { readonly sequence: number; readonly pointer: string },
  ended?: number,
): Promise<Position> {
  const end = await loadEndPlace(deps, life, partition);
  if (end.sealed) throw streamNotFound();
  if (end.turned && ended === undefined && sequence >= end.next) throw new TurnReached();
  if (sequence > end.next) {
    throw invalidRequest(
      pointer,
      `is beyond the end of the stream, where the next event gets the sequence ${end.next}. ${remedyFor(sequence)}`,
    );
  }
  if (sequence === end.next) return edgeAt(end.next);
  const batch = await deps.table.batches.loadAtOrBefore(life, partition, sequence);
  const inside = batch !== undefined && sequence < batch.first + batch.count;
  if (inside && batch.kind === "jump" && sequence > batch.first) throw invalidCursor("restored");
  return inside ? { batch: batch.first, next: sequence } : edgeAt(sequence);
}
