/**
 * A process's view of an expiry that a different process wrote, in milliseconds by its own wall
 * clock.
 */
export type Sighting = {
  /** The stored expiry, by the writer's clock. */
  readonly stored: number;
  /** The effective expiry, by the clock of the process that sees it. */
  readonly until: number;
  readonly lookedMs: number;
};

/** The time that a slow request may add to the delay of a writer. */
const SLOW_MS = 1_000;

/**
 * Returns the effective expiry of a lease that lasts `leaseMs` after each sign of life of its
 * holder. Clocks differ, so a stored expiry is trusted only within plausible bounds. No lease lasts
 * longer than `leaseMs` after a process first sees it, nor after the process's own clock is set
 * back. A lease that was written since this process last looked, less than a lease ago, is valid
 * now, even if its stored expiry has passed: its writer's clock is late. Half of the lease may have
 * passed while the writer's poll waited. Pure.
 */
export function planSighting(
  before: Sighting | undefined,
  stored: number,
  { nowMs, leaseMs }: { readonly nowMs: number; readonly leaseMs: number },
): Sighting {
  const latest = nowMs + leaseMs;
  if (before?.stored === stored) {
    return { stored, until: Math.min(before.until, latest), lookedMs: nowMs };
  }
  const soonest = before === undefined ? -Infinity : before.lookedMs + leaseMs / 2 - SLOW_MS;
  const isLate = stored <= nowMs && stored < soonest;
  return { stored, until: isLate ? latest : Math.min(stored, latest), lookedMs: nowMs };
}
