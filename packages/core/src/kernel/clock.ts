/** Time as the core sees it. Injected, so that a simulation can own it. */
export type Clock = {
  /** Wall time in milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds that never go back, from an unknown start. May stand still while frozen. */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

/** A moment on both clocks, to tell later how old something is. */
export type Stamp = { readonly wallMs: number; readonly monotonicMs: number };

export const takeStamp = (clock: Clock): Stamp => ({
  wallMs: clock.now(),
  monotonicMs: clock.monotonic(),
});

/**
 * How old a stamp is, in milliseconds: the larger of what the two clocks say, because a frozen
 * process may find its monotonic clock stopped and an adjusted one may find its wall clock set
 * back.
 */
export const ageMs = (clock: Clock, stamp: Stamp): number =>
  Math.max(clock.now() - stamp.wallMs, clock.monotonic() - stamp.monotonicMs);

/**
 * What `work` comes to if that is known within `ms`, undefined if not. Then it goes on, unattended:
 * only for work that changes nothing, such as a read.
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
