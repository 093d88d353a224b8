import type { Position } from "../../model/position.ts";
import type { Batch } from "../../table/batch.entity.ts";
import { boundOf, isBeyond, type PartitionBound } from "./bounds.ts";

/** The most a page may still take. */
export type Room = { readonly events: number; readonly bytes: number };

/** Which events of which batches a page takes, in order: `from` and `to` count inside the batch. */
export type Slice = { readonly batch: Batch; readonly from: number; readonly to: number };

export type RunPlan = {
  readonly slices: readonly Slice[];
  readonly position: Position;
  /** What is left of the page. */
  readonly room: Room;
  /**
   * Why the run ends: `room` (the page is full), `gap` (the next batch is not where it belongs),
   * `seal` (the stream has ended), `lost` (a restore lost what lies before the start), `bound`
   * (what comes next is not asked for), `end` (the rows ran out).
   */
  readonly stop: "room" | "gap" | "seal" | "lost" | "bound" | "end";
  /** When the first event after the run was published, if its batch is among the rows. */
  readonly nextPublishedAt: number | undefined;
};

/**
 * What a page costs per event beside its text: sequence, time, id and punctuation. An upper bound,
 * so that a page planned from stored sizes never grows past its cap once printed.
 */
const EVENT_OVERHEAD_BYTES = 160;

/**
 * Picks a contiguous run from stored rows: a batch counts only if it starts exactly where the one
 * before it ended. A batch is taken whole or up to the number of events asked for, and only if the
 * page has room for all of it; an empty page always has, because a batch is smaller than a page, so
 * reading always moves on. What lies at the bound or after it takes no room. Pure.
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
