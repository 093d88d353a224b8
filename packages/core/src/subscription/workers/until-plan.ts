/**
 * What a process has seen of a moment that another one wrote. Milliseconds by its own wall clock.
 */
export type Sighting = {
  /** As it is stored: by the writer's clock. */
  readonly stored: number;
  /** What it counts as: by the clock of the process that sees it. */
  readonly until: number;
  readonly lookedMs: number;
};

/** What a slow request may add to the time that a writer has let pass. */
const SLOW_MS = 1_000;

/**
 * Until when something holds that is held for `leaseMs` each time its holder is heard of. Clocks
 * differ, so a stored moment is believed only as far as it can be true. Nothing holds for longer
 * than a lease from when a process first sees it. And what was written since this process last
 * looked, which is less than a lease ago, holds now, even if it says that it has ended: its
 * writer's clock is late. Half of the lease may have passed while the writer's poll waited. Pure.
 */
export function planSighting(
  before: Sighting | undefined,
  stored: number,
  { nowMs, leaseMs }: { readonly nowMs: number; readonly leaseMs: number },
): Sighting {
  if (before?.stored === stored) return { ...before, lookedMs: nowMs };
  const latest = nowMs + leaseMs;
  const soonest = before === undefined ? -Infinity : before.lookedMs + leaseMs / 2 - SLOW_MS;
  const isLate = stored <= nowMs && stored < soonest;
  return { stored, until: isLate ? latest : Math.min(stored, latest), lookedMs: nowMs };
}
