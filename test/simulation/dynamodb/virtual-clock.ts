import type { Clock } from "../../../packages/core/src/kernel/clock.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { timerQueue } from "./timer-queue.ts";

export type ProcessOptions = {
  /** How far this process' wall clock is ahead of true time, in milliseconds. */
  readonly skewMs?: number;
  /** Whether its monotonic clock stops while it is frozen, as on a suspended Lambda. */
  readonly monotonicStops?: boolean;
};

/** One simulated process: its clocks, and the power to freeze or kill it between two steps. */
export type VirtualProcess = {
  readonly name: string;
  readonly clock: Clock;
  state(): "running" | "frozen" | "dead";
  /** Runs something here later: not before a thaw while frozen, never once dead. */
  after(delayMs: number, run: () => void): void;
  /** From now on nothing reaches it: neither the end of a sleep nor a reply. */
  freeze(): void;
  /** Delivers, at once and in seeded order, what came due while it was frozen. */
  thaw(): void;
  /** Its promises never settle from now on. What it had sent may still take effect. */
  kill(): void;
  /** Sets the wall clock as an operator or NTP would: to this much ahead of true time. */
  setSkew(skewMs: number): void;
};

export type RunLimits = {
  /** Stops, before the next step, as soon as this is true. */
  readonly until?: () => boolean;
  /** Stops when the next step would be later than this; time is then this. */
  readonly untilMs?: number;
};

/** Time that moves only when everything that can happen now has happened. */
export type VirtualTime = {
  /** True time in milliseconds since 1970; fractions are kept, so that few steps tie. */
  nowMs(): number;
  /** Runs something later, outside every process (the network, the store, the driver). */
  after(delayMs: number, run: () => void): void;
  process(name: string, options?: ProcessOptions): VirtualProcess;
  /** Runs steps in order of time; ties go in seeded order. Resolves with why it stopped. */
  run(limits?: RunLimits): Promise<"idle" | "until" | "time">;
  /** Runs until this work settles and gives its result. Throws when nothing is left to run. */
  finish<T>(work: Promise<T>, limits?: { readonly withinMs?: number }): Promise<T>;
  /** Steps run so far. */
  steps(): number;
};

/**
 * A time loop for simulations of real, awaiting code. Between two steps every promise reaction is
 * drained, so code parks only at a sleep or a reply, and a run depends on the seed alone. Code
 * that waits for something real (a timer, a file, the thread pool) breaks that and hangs or drifts.
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
 * Resolves after every promise reaction that is possible now, however long its chain: Node runs
 * ticks once no reaction is left. Faster than a turn of the event loop, which polls the system.
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
