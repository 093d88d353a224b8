import type { StoredEvent } from "../../model/event.ts";
import type { Position } from "../../model/position.ts";
import type { Batch } from "../../table/batch.ts";

/** The remaining capacity of a page. */
export type Room = { readonly events: number; readonly bytes: number };

/** The events of a batch that a page takes, in order. `from` and `to` count inside the batch. */
export type Slice = { readonly batch: Batch; readonly from: number; readonly to: number };

export type RunPlan = {
  readonly slices: readonly Slice[];
  readonly position: Position;
  /** The remaining capacity of the page. */
  readonly room: Room;
  /**
   * Why the run ends:
   * - `room`: the page is full
   * - `gap`: the next batch is missing
   * - `seal`: the stream has ended
   * - `turn`: the chain has ended, and the stream goes on in other partitions
   * - `lost`: a restore lost the events before the start
   * - `bound`: the next event is past the bound
   * - `end`: no rows remain
   */
  readonly stop: "room" | "gap" | "seal" | "turn" | "lost" | "bound" | "end";
  /** The publication time of the first event after the run, if its batch is among the rows. */
  readonly nextPublishedAt: number | undefined;
};

/**
 * The cost of an event in a page beside its text: sequence, time, id and punctuation. This is an
 * upper bound, so a page that is planned from stored sizes never exceeds its cap in print.
 */
const EVENT_OVERHEAD_BYTES = 160;

/**
 * Picks a contiguous run from stored rows. A batch counts only if it starts exactly where its
 * predecessor ended. A batch is taken whole or up to the requested number of events, and only if
 * the page has room for all of it. An empty page always has room, because a batch is smaller than a
 * page, so every read makes progress. Events at the bound or after it use no room. Pure.
 */
export function planRun(
  rows: readonly Batch[],
  start: Position,
  room: Room,
  bound: PartitionBound = boundOf(undefined, 0),
): RunPlan {
  const slices: Slice[] = [];
  let { batch: expected, next } = start;
  let { events, bytes } = room;
  const stopAt = (stop: RunPlan["stop"], publishedAt?: number): RunPlan => ({
    slices,
    position: { batch: expected, next },
    room: { events, bytes },
    stop,
    nextPublishedAt: publishedAt,
  });
  if (next >= bound.next) return stopAt("bound");
  for (const batch of rows) {
    if (batch.first !== expected) return stopAt("gap");
    if (batch.kind === "seal") return stopAt("seal");
    if (batch.kind === "turn") return stopAt("turn");
    if (batch.kind === "jump") {
      if (next > batch.first) return stopAt("lost");
      expected = batch.first + batch.count;
      next = expected;
      continue;
    }
    if (isBeyond(bound, batch)) return stopAt("bound");
    const size = batch.rawBytes + batch.count * EVENT_OVERHEAD_BYTES;
    if (events === 0 || size > bytes) return stopAt("room", batch.publishedAt);
    const from = next - batch.first;
    const to = Math.min(batch.count, from + events, bound.next - batch.first);
    if (to > from) slices.push({ batch, from, to });
    next = batch.first + to;
    events -= to - from;
    bytes -= size;
    if (next >= bound.next) return stopAt("bound");
    if (to < batch.count) return stopAt("room", batch.publishedAt);
    expected = next;
  }
  return stopAt("end");
}

/** The end of a read: before a time, or before a sequence in each partition. */
export type Bound = { readonly timeMs: number } | { readonly nexts: readonly number[] };

/** The end of a read in one partition: before this time and before this sequence. */
export type PartitionBound = { readonly timeMs: number; readonly next: number };

export const boundOf = (bound: Bound | undefined, partition: number): PartitionBound => ({
  timeMs: bound !== undefined && "timeMs" in bound ? bound.timeMs : Number.POSITIVE_INFINITY,
  next: bound !== undefined && "nexts" in bound ? (bound.nexts[partition] ?? 1) : Infinity,
});

/** Returns whether a batch begins at a bound or after it. All events of a batch have its time. */
export const isBeyond = (
  { timeMs, next }: PartitionBound,
  { first, publishedAt }: Pick<Batch, "first" | "publishedAt">,
): boolean => publishedAt >= timeMs || first >= next;

/** Returns whether an event is at a bound or after it. */
export const isPast = (
  bound: PartitionBound,
  { sequence: first, publishedAt }: Pick<StoredEvent, "sequence" | "publishedAt">,
): boolean => isBeyond(bound, { first, publishedAt });
