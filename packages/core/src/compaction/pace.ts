import type { Clock } from "../kernel/clock.ts";
import { afterWrite, LIMIT_MAX, type WriteWindow, wideWindow } from "./window-plan.ts";

/** Decides when compaction may write, so that it leaves the table to publishers. */
export type Pace = {
  /** The number of writes that are ever in flight together. */
  readonly atOnce: number;
  /** Runs one write once there is room for it. */
  run<T>(write: () => Promise<T>): Promise<T>;
};

/**
 * Paces the compaction of one process by what the table shows of itself: while its writes are
 * answered as fast as ever, more of them are in flight, up to a bound. When one takes far longer,
 * because the table is throttled or shared, fewer are.
 */
export function createWindowPace(clock: Pick<Clock, "monotonic">): Pace {
  let window: WriteWindow = wideWindow;
  let inFlight = 0;
  const waiting: (() => void)[] = [];
  const admit = () => {
    for (; inFlight < Math.floor(window.limit); inFlight++) {
      const next = waiting.shift();
      if (next === undefined) return;
      next();
    }
  };
  return {
    atOnce: LIMIT_MAX,
    async run(write) {
      const admitted = new Promise<void>((resolve) => waiting.push(resolve));
      admit();
      await admitted;
      const began = clock.monotonic();
      try {
        return await write();
      } finally {
        window = afterWrite(window, { ms: clock.monotonic() - began, inFlight });
        inFlight--;
        admit();
      }
    },
  };
}
