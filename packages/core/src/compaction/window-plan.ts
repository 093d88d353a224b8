/** How many writes compaction may have in flight, and the measured pace of the table. */
export type WriteWindow = {
  readonly limit: number;
  /** The approximate time of an undisturbed write. */
  readonly fastestMs: number;
  /** The number of answers to ignore before the window changes again. */
  readonly skip: number;
};

export const LIMIT_MIN = 1;
export const LIMIT_MAX = 32;

/**
 * The first window is the widest, because most runs have few rows and end before anything is known.
 */
export const wideWindow: WriteWindow = { limit: LIMIT_MAX, fastestMs: Infinity, skip: 0 };

/**
 * A write counts as slow if it takes this multiple of the fastest time. Throttling and queues
 * exceed it, and noise does not.
 */
const SLOW = 4;
const SLOW_MS_MIN = 20;
/**
 * The factor by which the fastest time grows with each write. A table that became slower for good
 * counts as normal after some hundred writes.
 */
const FORGET = 1.005;

/**
 * Returns the window after a write that took `ms` while `inFlight` were in flight. A slow write
 * halves the window, once for all writes that were in flight together. Other writes widen it by one
 * for each full window. Pure.
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
