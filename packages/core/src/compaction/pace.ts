import type { Clock } from "../kernel/clock.ts";
import { afterWrite, LIMIT_MAX, type WriteWindow, wideWindow } from "./window-plan.ts";

/** Decides when compaction may write, so that publishers have priority at the table. */
export type Pace = {
  /** The maximum number of writes in flight. */
  readonly atOnce: number;
  /** Runs a write as soon as the pace allows it. */
  run<T>(write: () => Promise<T>): Promise<T>;
};

/**
 * Paces the compaction of one process by the response times of the table. While writes are answered
 * as fast as usual, more of them are in flight, up to a limit. When one takes far longer, because
 * the table is throttled or shared, fewer are.
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
