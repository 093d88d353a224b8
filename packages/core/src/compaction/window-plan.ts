/** How many writes compaction may have in flight, and what it knows of the table's pace. */
export type WriteWindow = {
  readonly limit: number;
  /** About the time of a write when nothing is in its way. */
  readonly fastestMs: number;
  /** Writes that are answered before the window is judged again. */
  readonly skip: number;
};

export const LIMIT_MIN = 1;
export const LIMIT_MAX = 32;

/** Whole at the start: most runs have a few rows, and are over before anything is known. */
export const wideWindow: WriteWindow = { limit: LIMIT_MAX, fastestMs: Infinity, skip: 0 };

/** A throttled write takes its back-off on top, and a shared store queues. Noise is less. */
const SLOW = 4;
const SLOW_MS_MIN = 20;
/** Lets a table that became slower for good count as usual after some hundred writes. */
const FORGET = 1.005;

/**
 * Returns the window after a write that took `ms` while `inFlight` were in flight. A slow one
 * halves it, once for all writes that were in flight together. Others widen it by one for each
 * window full of writes. Pure.
 */
export function afterWrite(
  { limit, fastestMs, skip }: WriteWindow,
  { ms, inFlight }: { readonly ms: number; readonly inFlight: number },
): WriteWindow {
  const fastest = Math.min(ms, fastestMs * FORGET);
  const isSlow = ms > Math.max(SLOW_MS_MIN, SLOW * fastest);
  if (!isSlow) {
    const wider = Math.min(LIMIT_MAX, limit + 1 / limit);
    return { limit: wider, fastestMs: fastest, skip: Math.max(0, skip - 1) };
  }
  if (skip > 0) return { limit, fastestMs: fastest, skip: skip - 1 };
  return { limit: Math.max(LIMIT_MIN, limit / 2), fastestMs: fastest, skip: inFlight - 1 };
}
