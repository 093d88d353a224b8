import type { StoredEvent } from "../../model/event.ts";
import type { Batch } from "../../table/batch.entity.ts";

/** The end of a read: before a time, or before a sequence in each partition. */
export type Bound = { readonly timeMs: number } | { readonly nexts: readonly number[] };

/** The bound in one partition. */
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
