import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock } from "../../packages/core/src/index.ts";

/**
 * Returns a clock on which the pauses between the tries of a request take no time while `isHurried`
 * returns true. It moves forward by each of them instead. A wait that a signal can end takes its
 * time. `now` is the wall clock, which does not move.
 */
export function createHurriedClock(isHurried = () => true, now = systemClock.now): Clock {
  let hurriedMs = 0;
  return {
    now,
    monotonic: () => systemClock.monotonic() + hurriedMs,
    async sleep(ms, signal) {
      if (signal !== undefined || !isHurried()) return systemClock.sleep(ms, signal);
      hurriedMs += ms;
      await setImmediate();
    },
  };
}

/** Returns the clock of this machine, and a function that moves it forward, in milliseconds. */
export function createMovedClock() {
  let aheadMs = 0;
  return {
    clock: {
      ...systemClock,
      now: () => systemClock.now() + aheadMs,
      monotonic: () => systemClock.monotonic() + aheadMs,
    },
    pass(ms: number): void {
      aheadMs += ms;
    },
  };
}
