import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEPTH } from "../../support/depth.ts";
import { findViolations, type LoggedEvent } from "./kill-check.ts";
import { type Attempt, type Gate, runPublisher } from "./kill-load.ts";
import { type KillableStack, startKillableStack } from "./kill-stack.ts";

const STREAM = "orders";
/**
 * When DynamoDB Local is killed, it loses transactions that it confirmed within the last
 * milliseconds. AWS does not. `database` therefore waits until the keyed requests are settled
 * before it kills, and allows no loss. `database-in-transaction` kills during such requests, and
 * allows the loss of those that were confirmed just before. `npm test` kills in each way, and
 * `npm run test:deep` does so several times.
 */
const KILL_LIST = [
  "server",
  "database",
  "server",
  "database-in-transaction",
  "server",
  "database",
  "server",
  "database-in-transaction",
  "server",
  "database",
] as const;
const KILLS = KILL_LIST.slice(0, DEPTH > 1 ? undefined : 4);
const UNSETTLED_MS = 100;
/** The number of acknowledgements between two kills, so that each kill happens under load. */
const ACKNOWLEDGED_BETWEEN = 30;
const UNDER_LOAD_MS = 300;
const PUBLISHERS = ["once-1", "once-2", "once-3", "again-1", "again-2", "again-3"];

let dataFolder: string;
let stack: KillableStack;

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), "eventledger kill "));
  stack = await startKillableStack(dataFolder);
  await send<unknown>("POST", "/streams", { name: STREAM });
});

afterAll(async () => {
  stack?.kill();
  // The database ends by itself when the stack was killed.
  await rm(dataFolder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

test("every acknowledged event is kept exactly once while server and database are killed", async () => {
  const attempts: Attempt[] = [];
  const gate: Gate = { held: false, underWay: 0 };
  const excusedAtMs: number[] = [];
  const stopping = new AbortController();
  const target = { url: stack.url, apiKey: stack.apiKey, stream: STREAM };
  const publishing = Promise.all(
    PUBLISHERS.map((name) => {
      const publisher = { name, retries: name.startsWith("again") };
      return runPublisher(target, publisher, gate, attempts, stopping.signal);
    }),
  );

  const killAll = async () => {
    for (const kind of KILLS) {
      await untilAcknowledged(attempts, ACKNOWLEDGED_BETWEEN);
      await sleep(UNDER_LOAD_MS);
      if (kind === "database") await hold(gate);
      if (kind === "database-in-transaction") excusedAtMs.push(performance.now());
      const killing = kind === "server" ? stack.killServer() : stack.killDatabase();
      gate.held = false;
      await killing;
    }
    await untilAcknowledged(attempts, ACKNOWLEDGED_BETWEEN);
  };
  await Promise.race([killAll(), publishing]);
  stopping.abort();
  await publishing;

  const log = await loadLog();
  const mayBeLost = ({ answeredAtMs }: Attempt) =>
    excusedAtMs.some((atMs) => Math.abs(answeredAtMs - atMs) < UNSETTLED_MS);
  expect(findViolations(log, attempts, mayBeLost)).toEqual([]);
  const count = (outcome: Attempt["outcome"]) =>
    attempts.filter((attempt) => attempt.outcome === outcome).length;
  console.log(
    `${KILLS.length} kills, ${log.length} events, requests: ${count("acknowledged")} acknowledged, ` +
      `${count("unknown")} unknown, ${count("refused")} refused`,
  );
  // The kills prove something only if a request noticed them.
  expect(count("unknown") + count("refused")).toBeGreaterThan(KILLS.length);
  expect(await stack.stop()).toBe(0);
}, 300_000);

/**
 * Waits until no keyed request is in flight and the database has stored everything that it
 * confirmed.
 */
async function hold(gate: Gate): Promise<void> {
  gate.held = true;
  while (gate.underWay > 0) await sleep(5);
  await sleep(UNSETTLED_MS);
}

async function untilAcknowledged(attempts: readonly Attempt[], more: number): Promise<void> {
  const count = () => attempts.filter(({ outcome }) => outcome === "acknowledged").length;
  const goal = count() + more;
  while (count() < goal) await sleep(20);
}

type LogPage = { events: LoggedEvent[]; cursor: string; caughtUp: boolean };

async function loadLog(): Promise<LoggedEvent[]> {
  const log: LoggedEvent[] = [];
  for (let from = "earliest"; ; ) {
    const page = await send<LogPage>("GET", `/streams/${STREAM}/events?limit=1000&from=${from}`);
    log.push(...page.events);
    if (page.caughtUp) return log;
    from = encodeURIComponent(page.cursor);
  }
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${stack.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.ok, `${method} ${path}: ${text}\n${stack.output()}`).toBe(true);
  return JSON.parse(text);
}
