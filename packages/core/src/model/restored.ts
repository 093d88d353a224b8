/** One restore of the table, as a stream went through it. `at` is in milliseconds since 1970. */
export type RestoreMark = { readonly id: string; readonly at: number };

/** The last restore, what the operator calls it, and those before it. */
export type Restored = RestoreMark & {
  readonly name: string;
  readonly before: readonly RestoreMark[];
};

/**
 * Numbers of a partition that no event has or ever gets, from `from` to below `to`: events may have
 * had them that a restore lost. `id` names the restore. A hole is followed by events that it kept.
 */
export type LostRange = {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly hole?: true;
};

/**
 * The next of a counter that only grows: generations, tokens. After a restore it goes on far above
 * what it may have come to in the table of before, so that nothing from there is taken for its own.
 */
export const nextCount = ({ restored }: { readonly restored?: Restored }, count: number): number =>
  Math.max(count + 1, restored?.at ?? 0);

/** How many of the numbers from `from` to below `to` are lost. */
export const lostBetween = (
  lost: readonly LostRange[] | undefined,
  from: number,
  to: number,
): number =>
  (lost ?? []).reduce(
    (sum, range) => sum + Math.max(0, Math.min(to, range.to) - Math.max(from, range.from)),
    0,
  );

/** Whether a position lies after events that a restore lost. Their beginning is a good position. */
export const isLost = (lost: readonly LostRange[] | undefined, next: number): boolean =>
  (lost ?? []).some(({ from, to }) => from < next && next < to);

/** Where reading goes on from a position: after the lost numbers that begin there. */
export const afterLost = (lost: readonly LostRange[] | undefined, next: number): number =>
  (lost ?? []).reduce((at, { from, to }) => (at === from ? to : at), next);

/** Where a restore has ended a partition: what lies up to there it kept, but for holes. */
export const restoredEnd = (
  lost: readonly LostRange[] | undefined,
  id: string,
): number | undefined => (lost ?? []).find((range) => range.id === id && !range.hole)?.from;
