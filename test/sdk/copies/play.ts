import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../../../packages/local/src/stack.ts";
import { EventLedger, type Receipt } from "../../../packages/sdk/src/index.ts";
import { type SeededRandom, seededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { postgresBin, startPostgres } from "../postgres.ts";
import { startUnreliableProxy } from "../unreliable-proxy.ts";
import type { Message, StoreKind, Task } from "./messages.ts";
import { finalState, type Plan, planned, STREAM } from "./plan.ts";

export type Run = Plan & {
  /** How often each process is killed. */
  readonly kills: number;
  /** The chance of a fault for a request. */
  readonly intensity: number;
  /** The endpoint of a running database. If absent, the stack starts one. */
  readonly endpoint?: string;
};

export type Outcome = {
  readonly kills: number;
  readonly requests: number;
  readonly faults: number;
  /**
   * The number of events of the log that are missing, repeated, or in a wrong place within their
   * key.
   */
  readonly lost: number;
  readonly twice: number;
  readonly disordered: number;
  readonly copies: Readonly<Record<string, { readonly wrongRows: number; readonly round: number }>>;
};

/** Publishes the plan while three copies are kept, and kills every process again and again. */
export async function play(run: Run): Promise<Outcome> {
  const { kills, intensity, endpoint, ...plan } = run;
  const random = seededRandom(run.seed);
  const folder = mkdtempSync(join(tmpdir(), "eventledger-copies-"));
  const stack = await startStack({ endpoint, tableName: `copies-${run.seed}-${process.pid}` });
  const proxy = await startUnreliableProxy(stack.url, random);
  const bin = postgresBin();
  const database = bin === undefined ? undefined : await startPostgres(bin);
  try {
    const direct = new EventLedger({ url: stack.url, apiKey: stack.adminKey });
    await direct.createStream(STREAM, { partitions: 2 });
    proxy.setIntensity(intensity);
    const task = (place: string): Task => ({
      url: proxy.url,
      apiKey: stack.adminKey,
      plan,
      place,
    });
    const stores: [StoreKind, string][] = [
      ["memory", ""],
      ["SQLite", join(folder, "copy.db")],
      ...(database === undefined ? [] : ([["PostgreSQL", database.url]] as [StoreKind, string][])),
    ];
    const publisher = keepAlive("publisher.ts", [JSON.stringify(task(join(folder, "done")))]);
    const copies = stores.map(([kind, place]) => {
      return { kind, process: keepAlive("copy.ts", [JSON.stringify(task(place)), kind]) };
    });
    await killAll(
      [publisher, ...copies.map((copy) => copy.process)],
      publisher,
      plan,
      kills,
      random,
    );
    const last = await publisher.done;
    // The faults have ended, so every copy must become complete.
    proxy.setIntensity(0);
    const expected = finalState(plan);
    const compared: Record<string, { wrongRows: number; round: number }> = {};
    for (const { kind, process } of copies) {
      const { rows, round } = await process.copy(last);
      compared[kind] = { wrongRows: wrongRows(rows, expected), round };
      process.end();
    }
    const { requests, ...faults } = proxy.counts;
    return {
      kills: kills * (1 + copies.length),
      requests,
      faults: Object.values(faults).reduce((sum, number) => sum + number, 0),
      ...(await judgeLog(direct, plan)),
      copies: compared,
    };
  } finally {
    await proxy.stop();
    await stack.stop();
    await database?.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Kills each process `kills` times, at moments that are spread over the publishing. */
async function killAll(
  all: readonly Kept[],
  publisher: Kept,
  { events }: Plan,
  kills: number,
  random: SeededRandom,
): Promise<void> {
  const moments = all
    .flatMap((kept) =>
      Array.from({ length: kills }, (_, index) => {
        return { kept, at: ((index + random.fraction()) / (kills + 0.5)) * events };
      }),
    )
    .sort((a, b) => a.at - b.at);
  for (const { kept, at } of moments) {
    while (publisher.progress() < at && !publisher.isDone()) await pause(5);
    // Some die before they have done anything, and some in the middle of a page.
    await pause(random.fraction() * 50);
    kept.kill();
  }
}

type Kept = ReturnType<typeof keepAlive>;

/** Starts a process, and starts it again whenever it is killed. */
function keepAlive(file: string, args: readonly string[]) {
  let events = 0;
  let isDone = false;
  let isEnded = false;
  const done = Promise.withResolvers<Receipt>();
  const copied = Promise.withResolvers<Extract<Message, { kind: "copy" }>>();
  let child: ChildProcess;
  const start = (): void => {
    child = fork(join(import.meta.dirname, file), args, { execArgv: ["--no-warnings"] });
    child.on("message", (message: Message) => {
      if (message.kind === "progress") events = Math.max(events, message.events);
      else if (message.kind === "copy") copied.resolve(message);
      else {
        isDone = true;
        done.resolve(message.receipt);
      }
    });
    child.on("exit", (code, signal) => {
      if (signal === "SIGKILL" && !isEnded) start();
      else if (code !== 0 && !isEnded) {
        const error = new Error(`${file} ended with ${code}`);
        done.reject(error);
        copied.reject(error);
      }
    });
  };
  start();
  return {
    done: done.promise,
    isDone: () => isDone,
    progress: () => events,
    kill: (): void => void (isDone || child.kill("SIGKILL")),
    /** Returns the copy, once it has the events of a receipt. */
    copy: (last: Receipt) => {
      child.send(last);
      return copied.promise;
    },
    end: (): void => {
      isEnded = true;
      child.kill("SIGKILL");
    },
  };
}

function wrongRows(
  rows: readonly (readonly [string, number])[],
  expected: ReadonlyMap<string, number>,
): number {
  const wrong = rows.filter(([key, row]) => expected.get(key) !== row).length;
  const known = new Set(rows.map(([key]) => key));
  return wrong + [...expected.keys()].filter((key) => !known.has(key)).length;
}

/** Reads the log back and compares it with the plan. */
async function judgeLog(ledger: EventLedger, plan: Plan) {
  const expected = new Map<string, string[]>();
  for (let n = 0; n < plan.events; n++) {
    const { key, data } = planned(plan, n);
    listOf(expected, key).push(JSON.stringify(data));
  }
  const seen = new Map<string, string[]>();
  let count = 0;
  for await (const { events } of ledger.stream(STREAM).readPages({ pageEvents: 1_000 })) {
    count += events.length;
    for (const { key, data } of events) listOf(seen, key).push(JSON.stringify(data));
  }
  let disordered = 0;
  for (const [key, own] of expected) {
    if (own.join() !== seen.get(key)?.join()) disordered += 1;
  }
  return {
    lost: Math.max(0, plan.events - count),
    twice: Math.max(0, count - plan.events),
    disordered,
  };
}

function listOf(lists: Map<string, string[]>, key: string): string[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
