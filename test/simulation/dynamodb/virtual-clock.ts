import type { Clock } from "../../../packages/core/src/kernel/clock.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { timerQueue } from "./timer-queue.ts";

export type ProcessOptions = {
  /** How far the wall clock of this process is ahead of true time, in milliseconds. */
  readonly skewMs?: number;
  /** Whether its monotonic clock stops while the process is frozen, as on a suspended Lambda. */
  readonly monotonicStops?: boolean;
};

/** One simulated process: its clocks, and functions that freeze or kill it between two steps. */
export type VirtualProcess = {
  readonly name: string;
  readonly clock: Clock;
  state(): "running" | "frozen" | "dead";
  /**
   * Runs a function here later. It does not run while the process is frozen, and never once it is
   * dead.
   */
  after(delayMs: number, run: () => void): void;
  /** From now on nothing reaches the process: neither the end of a sleep nor a reply. */
  freeze(): void;
  /** Delivers at once, in seeded order, what became due while it was frozen. */
  thaw(): void;
  /** From now on its promises never settle. A request that it has sent may still take effect. */
  kill(): void;
  /** Sets the wall clock to this much ahead of true time, as an operator or NTP would. */
  setSkew(skewMs: number): void;
};

export type RunLimits = {
  /** Stops before the next step as soon as this is true. */
  readonly until?: () => boolean;
  /** Stops when the next step would be later than this, and sets the time to this. */
  readonly untilMs?: number;
};

/** Time that advances only when everything that can happen now has happened. */
export type VirtualTime = {
  /**
   * Returns the true time in milliseconds since 1970. It keeps fractions, so that few steps tie.
   */
  nowMs(): number;
  /** Runs a function later, outside every process (in the network, the store or the driver). */
  after(delayMs: number, run: () => void): void;
  process(name: string, options?: ProcessOptions): VirtualProcess;
  /**
   * Runs steps in order of time. Ties are resolved in seeded order. Resolves with the reason for
   * stopping.
   */
  run(limits?: RunLimits): Promise<"idle" | "until" | "time">;
  /** Runs until this work settles, and returns its result. Throws when nothing is left to run. */
  finish<T>(work: Promise<T>, limits?: { readonly withinMs?: number }): Promise<T>;
  /** Returns the number of steps so far. */
  steps(): number;
};

/**
 * A time loop for simulations of real asynchronous code. Between two steps every promise reaction
 * runs, so code waits only for a sleep or a reply, and a run depends only on the seed. Code that
 * waits for something real (a timer, a file, the thread pool) breaks this: it hangs or makes runs
 * differ.
 */
export const createVirtualTime = (
  random: SeededRandom,
  startMs = 1_800_000_000_000,
): VirtualTime => {
  const queue = timerQueue(random);
  let now = startMs;
  let steps = 0;

  const after = (delayMs: number, run: () => void): void =>
    queue.push(now + Math.max(0, delayMs), run);

  const run = async ({ until, untilMs = Number.POSITIVE_INFINITY }: RunLimits = {}) => {
    await reactions();
    for (;;) {
      if (until?.() === true) return "until" as const;
      const next = queue.peekMs();
      if (next === undefined) return "idle" as const;
      if (next > untilMs) {
        now = Math.max(now, untilMs);
        return "time" as const;
      }
      now = Math.max(now, next);
      steps += 1;
      queue.pop()();
      await reactions();
    }
  };

  const finish = async <T>(work: Promise<T>, { withinMs }: { withinMs?: number } = {}) => {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    work.then(mark, mark);
    const untilMs = withinMs === undefined ? Number.POSITIVE_INFINITY : now + withinMs;
    const stop = await run({ until: () => settled, untilMs });
    if (stop === "until" || settled) return await work;
    throw new Error(
      stop === "idle" ? "stuck: nothing is left to run" : `not done in ${withinMs} ms`,
    );
  };

  return {
    nowMs: () => now,
    after,
    run,
    finish,
    steps: () => steps,
    process: (name, options) => createProcess(name, { after, nowMs: () => now }, options),
  };
};

/**
 * Resolves after every promise reaction that is possible now, however long the chain. Node runs
 * ticks once no reaction is left. This is faster than a turn of the event loop, which polls the
 * system.
 */
const reactions = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

type Ground = Pick<VirtualTime, "after" | "nowMs">;

const createProcess = (
  name: string,
  time: Ground,
  { skewMs = 0, monotonicStops = false }: ProcessOptions = {},
): VirtualProcess => {
  const startedMs = time.nowMs();
  let skew = skewMs;
  let state: ReturnType<VirtualProcess["state"]> = "running";
  let frozenAtMs = 0;
  let frozenMs = 0;
  let held: (() => void)[] = [];

  const arrive = (run: () => void): void => {
    if (state === "running") run();
    else if (state === "frozen") held.push(run);
  };
  const after = (delayMs: number, run: () => void): void => time.after(delayMs, () => arrive(run));

  return {
    name,
    after,
    clock: {
      now: () => Math.floor(time.nowMs() + skew),
      monotonic: () => time.nowMs() - startedMs - (monotonicStops ? frozenMs : 0),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          after(signal?.aborted ? 0 : ms, resolve);
          signal?.addEventListener("abort", () => after(0, resolve), { once: true });
        }),
    },
    state: () => state,
    freeze: () => {
      if (state !== "running") return;
      state = "frozen";
      frozenAtMs = time.nowMs();
    },
    thaw: () => {
      if (state !== "frozen") return;
      state = "running";
      frozenMs += time.nowMs() - frozenAtMs;
      const due = held;
      held = [];
      for (const run of due) after(0, run);
    },
    kill: () => {
      state = "dead";
      held = [];
    },
    setSkew: (ms) => {
      skew = ms;
    },
  };
};
