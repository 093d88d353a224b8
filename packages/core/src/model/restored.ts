/** A restore of the table that a stream went through. `at` is in milliseconds since 1970. */
export type RestoreMark = { readonly id: string; readonly at: number };

/** The last restore, the operator's name for it, and the restores before it. */
export type Restored = RestoreMark & {
  readonly name: string;
  readonly before: readonly RestoreMark[];
};

/**
 * Numbers of a partition, from `from` to below `to`, that no event has or ever gets. Events that a
 * restore lost may have had them. `id` names the restore. A hole is followed by events that the
 * restore kept.
 */
export type LostRange = {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly hole?: true;
};

/**
 * Returns the next value of a counter that only grows, such as a generation or a token. After a
 * restore it continues far above any value that it may have reached in the earlier table, so that
 * no value from there is mistaken for one from here.
 */
export const nextCount = ({ restored }: { readonly restored?: Restored }, count: number): number =>
  Math.max(count + 1, restored?.at ?? 0);

/** Counts the lost numbers from `from` to below `to`. */
export const lostBetween = (
  lost: readonly LostRange[] | undefined,
  from: number,
  to: number,
): number =>
  (lost ?? []).reduce(
    (sum, range) => sum + Math.max(0, Math.min(to, range.to) - Math.max(from, range.from)),
    0,
  );

/**
 * Whether a position is after events that a restore lost. The position before those events is
 * valid.
 */
export const isLost = (lost: readonly LostRange[] | undefined, next: number): boolean =>
  (lost ?? []).some(({ from, to }) => from < next && next < to);

/** Returns where a read continues from a position: after the lost numbers that begin there. */
export const afterLost = (lost: readonly LostRange[] | undefined, next: number): number =>
  (lost ?? []).reduce((at, { from, to }) => (at === from ? to : at), next);

/** Returns where the lost numbers right before `next` begin, or `next` if there are none. */
export const beforeLost = (lost: readonly LostRange[] | undefined, next: number): number =>
  (lost ?? []).reduceRight((at, { from, to }) => (at === to ? from : at), next);

/** Returns the first number at `next` or after it that no restore has lost. */
export const lostUntil = (lost: readonly LostRange[] | undefined, next: number): number =>
  (lost ?? []).reduce((at, { from, to }) => (from <= at && at < to ? to : at), next);

/**
 * Returns whether compaction, at `next`, has compacted anything of a partition that begins at
 * `start`. Numbers that a restore has lost there are passed without a compaction.
 */
export const isEntered = (
  { next, lost }: { readonly next: number; readonly lost?: readonly LostRange[] | undefined },
  start: number,
): boolean => next > lostUntil(lost, start);

/**
 * Returns where a restore ended a partition. It kept everything before that place, except for
 * holes.
 */
export const restoredEnd = (
  lost: readonly LostRange[] | undefined,
  id: string,
): number | undefined => (lost ?? []).find((range) => range.id === id && !range.hole)?.from;
