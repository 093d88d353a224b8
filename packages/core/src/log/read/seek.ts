import { invalidCursor } from "../../cursor/cursor.ts";
import type { Clock } from "../../kernel/clock.ts";
import { invalidRequest, streamNotFound } from "../../kernel/error.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { Batch } from "../../table/batch.entity.ts";
import type { Table } from "../../table/table.ts";
import { loadEnd } from "../end.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/** The first position that may still be read, strongly consistent. */
export async function seekEarliest(
  { table }: Deps,
  life: Life,
  partition: number,
): Promise<Position> {
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  return edgeAt(checkpoint.floor);
}

/** After everything that was durable before the call, strongly consistent. */
export async function seekLatest(deps: Deps, life: Life, partition: number): Promise<Position> {
  const end = await loadEnd(deps, life, partition);
  if (end.sealed) throw streamNotFound();
  return edgeAt(end.next);
}

/**
 * The first event published at `timeMs` or later, or the end when there is none. Publication times
 * never fall along a chain, so this is a binary search: O(log n) reads of one batch each.
 */
export const seekTime = (
  deps: Deps,
  life: Life,
  partition: number,
  timeMs: number,
): Promise<Position> =>
  seekBatch(deps, life, partition, ({ publishedAt }) => publishedAt >= timeMs);

/**
 * The first batch of which something is true that is true of all that follow it, or the end when
 * there is none. What is missing counts as before it.
 */
export async function seekBatch(
  deps: Deps,
  life: Life,
  partition: number,
  isReached: (batch: Batch) => boolean,
): Promise<Position> {
  const end = await loadEnd(deps, life, partition);
  if (end.sealed) throw streamNotFound();
  let low = end.checkpoint.floor;
  let high = end.next;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const batch = await deps.table.batches.loadAtOrBefore(life, partition, middle);
    if (batch === undefined || batch.first < low) {
      low = middle + 1;
    } else if (isReached(batch)) {
      high = batch.first;
    } else {
      low = batch.first + batch.count;
    }
  }
  return edgeAt(high);
}

/**
 * A sequence number, which may lie inside a batch, or be that of the next event. Throws
 * `invalid-request` for one beyond that: a number of something else, such as a time in
 * milliseconds; and `invalid-cursor` for one that a restore has lost.
 */
export async function seekSequence(
  deps: Deps,
  life: Life,
  partition: number,
  { sequence, pointer }: { readonly sequence: number; readonly pointer: string },
): Promise<Position> {
  const end = await loadEnd(deps, life, partition);
  if (end.sealed) throw streamNotFound();
  if (sequence > end.next) {
    throw invalidRequest(
      pointer,
      `is beyond the end of the stream: its next event gets the sequence ${end.next}. A time is written as in 2026-11-24T08:30:00Z`,
    );
  }
  if (sequence === end.next) return edgeAt(end.next);
  const batch = await deps.table.batches.loadAtOrBefore(life, partition, sequence);
  const inside = batch !== undefined && sequence < batch.first + batch.count;
  if (inside && batch.kind === "jump" && sequence > batch.first) throw invalidCursor("restored");
  return inside ? { batch: batch.first, next: sequence } : edgeAt(sequence);
}
