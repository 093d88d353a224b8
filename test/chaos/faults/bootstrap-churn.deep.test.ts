import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digest } from "../../../examples/webhooks/followed.ts";
import { type OpenLedger, openLedger } from "../../../packages/functions/src/open-ledger.ts";
import { type LocalServer, startServer } from "../../../packages/local/src/http-server.ts";
import { LOCAL_REGION } from "../../../packages/local/src/local-aws.ts";
import { seededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { keepRecord } from "../../support/keep-record.ts";
import { SEED } from "../../support/seed.ts";
import { createTestTable } from "../../support/test-table.ts";
import type { CompactorNews } from "./bootstrap-churn-compactor.ts";
import { send } from "./bootstrap-churn-http.ts";
import { PUBLISHERS } from "./bootstrap-churn-load.ts";
import type { SubscriberNews } from "./bootstrap-churn-subscriber.ts";
import type { Delivered } from "./bootstrap-churn-view.ts";
import { sayChurn } from "./say-churn.ts";

/** Usually a small share runs. `npm run test:nightly` runs everything. */
const UPDATES = Number(process.env.CHURN_UPDATES ?? 1_000);
const IS_WHOLE = UPDATES >= 10_000;
const WEBHOOKS = 329;
const STREAM = "changes";
const PARTITIONS = 3;
const API_KEY = "churn";
const COMPACTOR_LIFE_MS = 1_000;
/** The subscribers start within this time after the first publish. */
const ARRIVAL_MS_MAX = IS_WHOLE ? 5_000 : 500;
/** The time limit for conditions that take long on a busy machine. */
const CONDITION_MS = IS_WHOLE ? 600_000 : 60_000;
const TIMEOUT_MS = IS_WHOLE ? 3_600_000 : 240_000;

let folder: string;
let table: Awaited<ReturnType<typeof createTestTable>>;
let opened: OpenLedger;
let server: LocalServer;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "eventledger churn "));
  table = await createTestTable();
  const { endpoint, tableName } = table;
  const keys = { adminKey: API_KEY, cursorKey: "churn" };
  opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, ...keys });
  server = await startServer(opened, { host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await server?.stop();
  opened?.close();
  table?.client.destroy();
  await rm(folder, { recursive: true, force: true });
});

test(`every bootstrap gets the state of the whole log while compactors are killed (SEED=${SEED})`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const door = { url: server.url, apiKey: API_KEY };
  const place = [server.url, API_KEY, STREAM];
  await send(door, "POST", "/streams", { name: STREAM, partitions: PARTITIONS });
  const random = seededRandom(SEED);
  const began = performance.now();
  const compaction = keepKilling(table);
  const publishing = Promise.all(
    Array.from({ length: PUBLISHERS }, (_, n) =>
      untilExit(start("publisher", ...place, `${n}`, `${UPDATES}`, `${SEED}`)),
    ),
  );
  const subscribers = ["killed", "again-1", "again-2"].map((name) => {
    const again = name === "killed" ? "" : "again";
    const begin = () => start("subscriber", ...place, name, join(folder, name), again);
    const kills = name === "killed" ? SUBSCRIBER_KILLS : 0;
    return runSubscriber(begin, random.between(0, ARRIVAL_MS_MAX), kills, publishing);
  });
  await publishing;
  const publishedMs = Math.round(performance.now() - began);
  const ended = await Promise.all(subscribers);
  const endedMs = Math.round(performance.now() - began);
  // The test proves something only if kills interrupted work and the processes made progress.
  const published = UPDATES + WEBHOOKS;
  const isKilledAtWork = (left: number) => compaction.total.midSweep > 0 && left < published;
  const uncompacted = await untilUncompacted(door, isKilledAtWork);
  const { kills, midSweep } = compaction.total;
  await compaction.stopKilling();
  await untilUncompacted(door, (left) => left === 0);

  const log = await loadLog(door);
  expect(log).toHaveLength(published);
  const oracle = fold(log);
  for (const { live, disorder } of ended) {
    expect(disorder).toEqual([]);
    expect(live).toEqual(oracle);
  }
  const [killed] = ended;
  expect(killed?.killedIn).toHaveLength(SUBSCRIBER_KILLS);
  const counts = {
    events: log.length,
    liveKeys: Object.keys(oracle).length,
    publishedMs,
    endedMs,
    compactorKills: kills,
    compactorKillsInSweep: midSweep,
    uncompacted,
    subscriberKilledIn: killed?.killedIn,
    bootstraps: ended.map(({ bootstraps }) => bootstraps),
  };
  console.log(JSON.stringify(counts));
  const said = sayChurn({ updates: UPDATES, ...counts });
  keepRecord("bootstrap-churn", said, {
    seed: SEED,
    updates: UPDATES,
    webhooks: WEBHOOKS,
    ...counts,
  });
});

function start(program: "publisher" | "subscriber" | "compactor", ...parameters: string[]) {
  const path = fileURLToPath(new URL(`./bootstrap-churn-${program}.ts`, import.meta.url));
  const child = fork(path, parameters, { execArgv: [], stdio: "inherit" });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function untilExit(child: ChildProcess): Promise<void> {
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${child.spawnargs[1]} ended with code ${code}`);
}

/**
 * Runs one compactor after the other and kills each a second after its first sweep begins, because
 * the time until then is spent on starting the process. The last compactor is not killed.
 */
function keepKilling({ endpoint, tableName }: typeof table) {
  const total = { kills: 0, midSweep: 0 };
  let mayLive = false;
  const run = async () => {
    for (;;) {
      const child = start("compactor", endpoint, tableName);
      const exit = once(child, "exit");
      const begun = Promise.withResolvers<void>();
      let sweeping = false;
      child.on("message", (report: CompactorNews) => {
        sweeping = report.sweeping;
        begun.resolve();
      });
      await Promise.race([begun.promise, exit]);
      await sleep(COMPACTOR_LIFE_MS);
      if (mayLive) return;
      child.kill("SIGKILL");
      total.kills++;
      total.midSweep += sweeping ? 1 : 0;
      await exit;
    }
  };
  const running = run();
  const stopKilling = async () => {
    mayLive = true;
    await running;
  };
  return { total, stopKilling };
}

/** Waits until enough events are compacted. Returns the number of events that are not. */
async function untilUncompacted(
  door: Parameters<typeof send>[0],
  isEnough: (left: number) => boolean,
): Promise<number> {
  type Info = { watermarkLag: { events: number } };
  const deadline = performance.now() + CONDITION_MS;
  for (;;) {
    const { watermarkLag } = await send<Info>(door, "GET", `/streams/${STREAM}`);
    const { events: left } = watermarkLag;
    if (isEnough(left)) return left;
    if (performance.now() > deadline) throw new Error(`${left} events are still not compacted`);
    await sleep(100);
  }
}

/**
 * Starts a subscriber after `afterMs` and runs it until it has read everything that was published.
 * Kills it `kills` times after some pages and starts it again.
 */
async function runSubscriber(
  begin: () => ChildProcess,
  afterMs: number,
  kills: number,
  publishing: Promise<unknown>,
) {
  await sleep(afterMs);
  const disorder: string[] = [];
  const killedIn: string[] = [];
  let bootstraps = 1;
  for (;;) {
    const child = begin();
    const exit = once(child, "exit");
    let last: SubscriberNews | undefined;
    let pages = 0;
    child.on("message", (report: SubscriberNews) => {
      last = report;
      if (++pages !== PAGES_BEFORE_KILL || killedIn.length === kills) return;
      child.kill("SIGKILL");
      killedIn.push(report.phase);
    });
    publishing.then(() => child.connected && child.send("finish"), noop);
    const [code] = await exit;
    bootstraps += last?.bootstrapsBegun ?? 0;
    disorder.push(...(last?.disorder ?? []));
    if (code !== null && code !== 0) throw new Error(`A subscriber ended with code ${code}`);
    if (last?.live !== undefined) return { live: last.live, disorder, bootstraps, killedIn };
  }
}

const SUBSCRIBER_KILLS = 3;
const PAGES_BEFORE_KILL = 3;
const noop = () => {};

type LogPage = { events: Delivered[]; cursor: string; caughtUp: boolean };

async function loadLog(door: Parameters<typeof send>[0]): Promise<Delivered[]> {
  const log: Delivered[] = [];
  for (let from = "earliest"; ; ) {
    const path = `/streams/${STREAM}/events?limit=1000&from=${encodeURIComponent(from)}`;
    const page = await send<LogPage>(door, "GET", path);
    for (const event of page.events) log.push(event);
    if (page.caughtUp) return log;
    from = page.cursor;
  }
}

/** Computes the expected state: for each key of the whole log, the digest of its last data. */
function fold(log: readonly Delivered[]): Record<string, string> {
  const state = new Map<string, string>();
  for (const { key, data } of log) {
    if (data === null) state.delete(key);
    else state.set(key, digest(data));
  }
  return Object.fromEntries(state);
}
