import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../packages/core/src/index.ts";

type Sleeper = { readonly atMs: number; readonly wake: () => void };
type Client = {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: never) => Promise<unknown>) => (args: never) => Promise<unknown>,
      options: { readonly step: "initialize"; readonly name: string },
    ): void;
  };
};

const STEP_MS = 100;

/**
 * Creates a clock that moves in steps, and only while no request to the table is under way. So what
 * waits for seconds can be counted without waiting for them.
 */
export function createSteppedClock() {
  const startedAt = Date.now();
  let passedMs = 0;
  let underWay = 0;
  const sleepers = new Set<Sleeper>();

  const clock: Clock = {
    now: () => startedAt + passedMs,
    monotonic: () => passedMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = { atMs: passedMs + ms, wake: () => end() };
        const end = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", end);
          resolve();
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", end);
      }),
  };

  /** Waits until everything that is awake has come to rest. */
  async function settle(): Promise<void> {
    do await sleep(2);
    while (underWay > 0);
  }

  async function step(): Promise<void> {
    await settle();
    passedMs += STEP_MS;
    for (const { atMs, wake } of [...sleepers]) if (atMs <= passedMs) wake();
  }

  return {
    clock,
    settle,
    /** Counts the requests of a client as long as they are under way. */
    watch({ middlewareStack }: Client): void {
      middlewareStack.add(
        (next) => (args) => {
          underWay++;
          return next(args).finally(() => {
            underWay--;
          });
        },
        { step: "initialize", name: "under way" },
      );
    },
    /** Lets time pass. */
    async pass(ms: number): Promise<void> {
      for (const untilMs = passedMs + ms; passedMs < untilMs; ) await step();
      await settle();
    },
    /** Lets time pass until some work ends. Returns its result. */
    async passUntil<T>(work: Promise<T>): Promise<T> {
      let isOver = false;
      const end = () => {
        isOver = true;
      };
      work.then(end, end);
      while (!isOver) await step();
      return work;
    },
  };
}
