import { createFakeDynamo, type FakeDynamo } from "./fake-dynamodb.ts";

/** The parts of core that a world runs: the real ones, or a copy with a rule taken out. */
export type CoreModules = {
  readonly createLedger: typeof import("../../packages/core/src/index.ts").createLedger;
  readonly createCursors: typeof import("../../packages/core/src/cursor/cursor.ts").createCursors;
};

export type Ledger = ReturnType<CoreModules["createLedger"]>;

/** A request that waits for its turn. Dropped for good when its process has crashed. */
type Waiting = { readonly process: Process; readonly go: () => void };

/** One process: a ledger of its own, and at most one operation at a time. */
export type Process = { readonly name: string; ledger: Ledger; busy: boolean; life: number };

export const CURSOR_KEY = { id: 1, secret: Buffer.from("model") };

/** Long enough for a stale read to matter, short against every rule about time. */
const STALE_MS = 30_000;
const STEP_MS = 20;

/**
 * A table, a clock, and processes whose every request waits until the schedule lets it through, so
 * that a program decides how their requests interleave and where they crash.
 */
export function createWorld(core: CoreModules, seed: number) {
  let nowMs = Date.UTC(2026, 0, 1);
  const fake: FakeDynamo = createFakeDynamo({
    tableName: "model",
    seed,
    nowMs: () => nowMs,
    staleMs: STALE_MS,
  });
  const base = fake.client();
  const waiting: Waiting[] = [];
  const processes: Process[] = [];
  let randomState = seed + 1;
  const fraction = () => {
    randomState = (Math.imul(randomState, 1_664_525) + 1_013_904_223) >>> 0;
    return randomState / 2 ** 32;
  };
  const random = {
    fraction,
    bytes: (count: number) =>
      Uint8Array.from({ length: count }, () => Math.floor(fraction() * 256)),
  };
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async () => {
      nowMs += STEP_MS;
    },
  };

  const open = (process: Process | undefined): Ledger =>
    core.createLedger({
      client: { send: gated(process) } as never,
      tableName: "model",
      clock,
      random,
      cursorKeys: [CURSOR_KEY],
    });

  const gated = (process: Process | undefined) => {
    const born = process?.life;
    return (command: never): Promise<unknown> => {
      if (process === undefined || isBoring(command)) return base.send(command);
      return new Promise((resolve, reject) => {
        const go = () => {
          base.send(command).then(resolve, reject);
        };
        if (process.life === born) waiting.push({ process, go });
      });
    };
  };

  /** Buckets that no key of the model is in hold no surprise. */
  const isBoring = (command: { input?: { ExpressionAttributeValues?: object } }): boolean => {
    const pk = String(Object.values(command.input?.ExpressionAttributeValues ?? {})[0] ?? "");
    const bucket = /#COMPACT#(\d+)$/.exec(pk)?.[1];
    return bucket !== undefined && !fake.items().some((item) => item.pk === pk);
  };

  return {
    fake,
    waiting,
    processes,
    /** Not subject to the schedule: sets the scene and looks at it. */
    director: open(undefined),
    addProcess(name: string): Process {
      const process = { name, busy: false, life: 0 } as Process;
      process.ledger = open(process);
      processes.push(process);
      return process;
    },
    /** Lets one waiting request through and everything happen that follows without another. */
    async release(index: number): Promise<void> {
      const [next] = waiting.splice(index, 1);
      nowMs += STEP_MS;
      next?.go();
      await settled();
    },
    /** Ends a process wherever it is; it comes back without any memory. */
    crash(process: Process): void {
      process.life++;
      process.busy = false;
      for (let index = waiting.length - 1; index >= 0; index--) {
        if (waiting[index]?.process === process) waiting.splice(index, 1);
      }
      process.ledger = open(process);
    },
    advance(ms: number): void {
      nowMs += ms;
    },
    nowMs: () => nowMs,
  };
}

export type World = ReturnType<typeof createWorld>;

/** Nothing here waits for anything real, so one turn of the event loop runs everything there is. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
