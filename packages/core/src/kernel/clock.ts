/** The time for the core. It is injected, so that a simulation can control it. */
export type Clock = {
  /** Wall time in milliseconds since 1970. May jump. */
  now(): number;
  /**
   * Milliseconds that never go back, from an unknown start. May stop while the process is frozen.
   */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

/** A time on both clocks, from which an age can be computed later. */
export type Stamp = { readonly wallMs: number; readonly monotonicMs: number };

export const takeStamp = (clock: Clock): Stamp => ({
  wallMs: clock.now(),
  monotonicMs: clock.monotonic(),
});

/**
 * Returns the age of a stamp in milliseconds. It is the larger age by the two clocks: the monotonic
 * clock of a frozen process may have stopped, and a wall clock may have been set back.
 */
export const ageMs = (clock: Clock, stamp: Stamp): number =>
  Math.max(clock.now() - stamp.wallMs, clock.monotonic() - stamp.monotonicMs);

/**
 * Returns the result of `work` if it is available within `ms`, undefined otherwise. In that case
 * the work continues and its result is not used, so use this only for work that changes nothing,
 * such as a read.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
): Promise<T | undefined> {
  const over = new AbortController();
  work.catch(() => {});
  try {
    return await Promise.race([work, clock.sleep(ms, over.signal).then(() => undefined)]);
  } finally {
    over.abort();
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
    }),
};
