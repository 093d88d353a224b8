import type { Clock } from "../http/clock.ts";

/** A clock that only the test moves. */
export type VirtualClock = Clock & {
  /** Advances, and runs each timer on the way at its time. */
  advance(ms: number): Promise<void>;
};

type Timer = { readonly at: number; readonly run: () => void };

export function createVirtualClock(): VirtualClock {
  let now = 0;
  const timers = new Set<Timer>();
  const next = (until: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = now + ms;
      await settled();
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.run();
        await settled();
      }
      now = until;
    },
  };
}

/** Runs everything that is due at the current time. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((done) => setTimeout(done, 0));
};
