import { systemClock } from "../../packages/core/src/index.ts";

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
