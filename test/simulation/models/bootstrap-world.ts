import { once } from "node:events";
import { bucketOf } from "../../../packages/core/src/model/partition.ts";
import { createFakeDynamo, type FakeDynamo } from "../dynamodb/fake-dynamodb.ts";

/** The parts of core that a world runs: the real ones, or a copy without one rule. */
export type CoreModules = {
  readonly createLedger: typeof import("../../../packages/core/src/index.ts").createLedger;
  readonly createCursors: typeof import("../../../packages/core/src/cursor/cursor.ts").createCursors;
  readonly unpackBatch: typeof import("../../../packages/core/src/log/codec.ts").unpackBatch;
};

export type Ledger = ReturnType<CoreModules["createLedger"]>;

/** A request that waits for its turn. It is dropped for good when its process crashes. */
type Waiting = { readonly process: Process; readonly label: string; readonly go: () => void };

/** One process with its own ledger. It runs at most one operation at a time. */
export type Process = {
  readonly name: string;
  /** Whether the process puts compacted rows one by one or together. */
  readonly puts: "alone" | "together";
  ledger: Ledger;
  busy: boolean;
  life: number;
};

export const CURSOR_KEY = { id: 1, secret: Buffer.from("model") };

/** Long enough for a stale read to matter, and short compared with every time limit. */
const STALE_MS = 30_000;
const STEP_MS = 20;

/**
 * A table, a clock, and processes whose requests all wait until the schedule releases them. A
 * program thus decides how the requests interleave and where they crash.
 */
export function createWorld(core: CoreModules, seed: number, keys: readonly string[]) {
  const pool = poolOf(core);
  let nowMs = pool.nextDayMs;
  let restedMs = 0;
  const fake: FakeDynamo = createFakeDynamo({
    tableName: "model",
    seed,
    nowMs: () => nowMs,
    staleMs: STALE_MS,
  });
  const base = fake.client();
  const interesting = new Set(keys.map(bucketOf));
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
    /**
     * A wait that may end early ends at once, because no time passes while requests wait for their
     * turn.
     */
    sleep: async (_: number, signal?: AbortSignal) => {
      if (signal === undefined) nowMs += STEP_MS;
      else await once(signal, "abort");
    },
  };

  const opened = { alone: 0, together: 0 };
  const open = (process: Process | undefined): Ledger => {
    const kind = process?.puts ?? "alone";
    const slot = pool.slots[kind][opened[kind]++] ?? pool.add(kind);
    Object.assign(slot.deps, { send: gated(process), clock, random });
    return slot.ledger;
  };

  const gated = (process: Process | undefined) => {
    const born = process?.life;
    return (command: never): Promise<unknown> => {
      if (process === undefined || isBoring(command)) return base.send(command);
      return new Promise((resolve, reject) => {
        const go = () => {
          base.send(command).then(resolve, reject);
        };
        if (process.life === born) waiting.push({ process, label: labelOf(command), go });
      });
    };
  };

  /**
   * Returns whether a request reads a bucket without keys of the model, which needs no scheduling.
   */
  const isBoring = (command: { input?: { ExpressionAttributeValues?: object } }): boolean => {
    const pk = String(Object.values(command.input?.ExpressionAttributeValues ?? {})[0] ?? "");
    const bucket = /#COMPACT#(\d+)$/.exec(pk)?.[1];
    return bucket !== undefined && !interesting.has(Number(bucket));
  };

  return {
    fake,
    waiting,
    processes,
    /** The schedule does not control the director, which prepares the scene and reads it. */
    director: open(undefined),
    addProcess(name: string, puts: Process["puts"] = "alone"): Process {
      const process = { name, puts, busy: false, life: 0 } as Process;
      process.ledger = open(process);
      processes.push(process);
      return process;
    },
    /** Releases one waiting request and runs everything that follows without another request. */
    async release(index: number): Promise<void> {
      const [next] = waiting.splice(index, 1);
      nowMs += STEP_MS;
      next?.go();
      await settled();
    },
    /** Runs a process until it wants to send a request whose label contains all `texts`. */
    async runUntil(process: Process, ...texts: readonly string[]): Promise<void> {
      await settled();
      for (;;) {
        const index = waiting.findIndex((each) => each.process === process);
        const next = waiting[index];
        if (next === undefined) throw new Error(`${process.name} never sends ${texts.join()}`);
        if (texts.every((text) => next.label.includes(text))) return;
        await this.release(index);
      }
    },
    /** Runs a process until `work` is done. */
    async runOut<T>(process: Process, work: Promise<T>): Promise<T> {
      let over = false;
      const done = work.finally(() => {
        over = true;
      });
      done.catch(() => {});
      for (await settled(); !over; await settled()) {
        const index = waiting.findIndex((each) => each.process === process);
        if (index === -1) throw new Error(`${process.name} waits for nothing`);
        await this.release(index);
      }
      return done;
    },
    /** Crashes a process at any point. It restarts without any memory. */
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
      restedMs += ms;
    },
    /** Returns how much time passed in rests. */
    restedMs: () => restedMs,
    nowMs: () => nowMs,
    /**
     * Ends the world. The next world begins a day later, so that no process trusts what it
     * remembers.
     */
    end(): void {
      pool.nextDayMs = Math.ceil(nowMs / DAY_MS + 1) * DAY_MS;
    },
  };
}

const DAY_MS = 24 * 3_600_000;

type Deps = Pick<Parameters<CoreModules["createLedger"]>[0], "clock" | "random"> & {
  send: (command: never) => Promise<unknown>;
};

const pools = new WeakMap<CoreModules, ReturnType<typeof createPool>>();

const poolOf = (core: CoreModules) => {
  const pool = pools.get(core) ?? createPool(core);
  pools.set(core, pool);
  return pool;
};

/**
 * A pool of ledgers for reuse. Creating a ledger takes longer than running most generated programs.
 */
function createPool({ createLedger }: CoreModules) {
  type Slot = { ledger: Ledger; deps: Deps };
  const slots: Record<Process["puts"], Slot[]> = { alone: [], together: [] };
  return {
    nextDayMs: Date.UTC(2026, 0, 1),
    slots,
    add(puts: Process["puts"]) {
      const deps = {} as Deps;
      const ledger = createLedger({
        client: { send: (command: never) => deps.send(command) } as never,
        tableName: "model",
        clock: {
          now: () => deps.clock.now(),
          monotonic: () => deps.clock.monotonic(),
          sleep: (ms, signal) => deps.clock.sleep(ms, signal),
        },
        random: {
          bytes: (count) => deps.random.bytes(count),
          fraction: () => deps.random.fraction(),
        },
        cursorKeys: [CURSOR_KEY],
        rowsTogether: puts === "together" ? 25 : 1,
        // A crashed process is used again, and its requests in flight never end. A window of writes
        // would wait for them.
        compactionPace: { atOnce: 32, run: (write) => write() },
      });
      const slot = { ledger, deps };
      slots[puts].push(slot);
      return slot;
    },
  };
}

export type World = ReturnType<typeof createWorld>;

/** Returns what a request is about: `PutCommand STREAM#... KEY#a`. */
function labelOf(command: { constructor: { name: string }; input?: object }): string {
  const { Key, Item, ExpressionAttributeValues } = (command.input ?? {}) as Record<string, object>;
  const values = Object.values(Key ?? Item ?? ExpressionAttributeValues ?? {});
  return [command.constructor.name, ...values.filter((value) => typeof value === "string")].join(
    " ",
  );
}

/**
 * Resolves after one turn of the event loop. That is enough, because nothing here waits for
 * anything real.
 */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
