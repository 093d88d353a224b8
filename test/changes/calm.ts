// A test may replace the timers of the process, so these are kept.
const { clearInterval, setInterval } = globalThis;
const TICK_MS = 100;

/**
 * Calls `onOver` after `ms` of calm: time in which this process reacted at once. A machine under
 * load delays the ticks, and delayed ticks do not count. Returns the function that ends the watch.
 */
export function watchCalm(ms: number, onOver: () => void): () => void {
  let last = performance.now();
  let calmMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - last < 2 * TICK_MS) calmMs += TICK_MS;
    last = now;
    if (calmMs >= ms) onOver();
  }, TICK_MS);
  return () => clearInterval(timer);
}
