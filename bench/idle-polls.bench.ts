/**
 * Measures the cost of 500 idle long polls for their server: memory, CPU, reads of the table, and
 * the delay that they add to publishes on another stream.
 *
 * node bench/idle-polls.bench.ts
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { defaultTenant } from "../packages/core/src/index.ts";
import { openLedger } from "../packages/functions/src/open-ledger.ts";
import { startServer } from "../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../packages/local/src/local-aws.ts";
import { startStore } from "../packages/local/src/store.ts";
import { ensureTable } from "../packages/local/src/table.ts";
import { meterCapacity } from "../test/support/capacity.ts";
import type { IdleLoad } from "./idle-poll-load.ts";
import type { Load } from "./publish-load.ts";
import { recordResult } from "./record.ts";
import { runChild } from "./run-child.ts";

const POLLS = 500;
const PUBLISHERS = 4;
const SECONDS = 10;
/**
 * One round tells little on a machine that does other work. The median of several rounds is
 * reliable.
 */
const ROUNDS = 5;
const RATIO_MAX = 2;
/**
 * The time until the server holds all polls. After that, as many polls end as begin each second.
 */
const SETTLE_MS = 24_000;
const IDLE_MS = 10_000;

const dynamo = await startStore();
try {
  const tableName = "bench";
  const admin = new DynamoDBClient(localAws(dynamo.endpoint));
  await ensureTable(admin, tableName);
  admin.destroy();
  const adminKey = `elk_${randomUUID()}`;
  const settings = { endpoint: dynamo.endpoint, region: LOCAL_REGION, tableName };
  const opened = openLedger({ ...settings, adminKey, cursorKey: "bench" });
  const { ledger } = opened;
  const config = {
    description: "",
    partitions: 1,
    compaction: "key",
    retentionHours: 360,
  } as const;
  for (const name of ["busy", "quiet"]) {
    await ledger.createStream(defaultTenant, { ...config, name, archiveDays: null });
  }
  for (let n = 0; n < POLLS; n++) {
    await ledger.createSubscription(defaultTenant, "quiet", { name: `s${n}`, start: "latest" });
  }
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  const meter = meterCapacity(opened.client);

  const publish = async (): Promise<Load> => {
    const load = [server.url, adminKey, "busy", String(PUBLISHERS), String(SECONDS)];
    const child = runChild<Load>("publish-load.ts", ...load);
    await child.ready;
    child.start();
    return child.result;
  };

  /**
   * Publishes while the polls are held, and measures what holding them costs without publishing.
   */
  const publishUnderPolls = async () => {
    const before = process.memoryUsage();
    const seconds = (SETTLE_MS + IDLE_MS) / 1_000 + SECONDS + 10;
    const load = [server.url, adminKey, "quiet", String(POLLS), String(seconds)];
    const child = runChild<IdleLoad>("idle-poll-load.ts", ...load);
    await child.ready;
    child.start();
    await sleep(SETTLE_MS);
    const held = ledger.waitingPolls();
    const cpuBefore = process.cpuUsage();
    const { requests, read } = await meter.measure(() => sleep(IDLE_MS));
    const { user, system } = process.cpuUsage(cpuBefore);
    const { rss, heapUsed } = process.memoryUsage();
    const sent = Object.values(requests).reduce((sum, count) => sum + count, 0);
    const idle = {
      cpuShare: (user + system) / 1_000 / IDLE_MS,
      rssGrowthMiB: (rss - before.rss) / 2 ** 20,
      heapGrowthMiB: (heapUsed - before.heapUsed) / 2 ** 20,
      requestsPerSecond: sent / (IDLE_MS / 1_000),
      readUnitsPerSecond: read / (IDLE_MS / 1_000),
    };
    const withPolls = await publish();
    const polls = await child.result;
    return { held, polls, withPolls, idle, leftOver: await waited(() => ledger.waitingPolls()) };
  };

  // The first load runs against a database that has not compiled anything yet, so it does not
  // count.
  await publish();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    // The first measurement finds the colder database, so the two alternate in going first.
    const first = round % 2 === 0 ? await publish() : undefined;
    const { held, polls, withPolls, idle, leftOver } = await publishUnderPolls();
    const without = first ?? (await publish());
    const ratio = withPolls.latencyMs.p99 / without.latencyMs.p99;
    rounds.push({ ratio, held, polls, without, withPolls, idle, leftOver });
    console.error(`round ${round + 1}: p99 ratio ${ratio.toFixed(2)}, ${held} polls held`);
  }
  const ratio = medianOf(rounds.map((round) => round.ratio));
  const figures = { polls: POLLS, publishers: PUBLISHERS, ratioMax: RATIO_MAX, ratio, rounds };
  recordResult("idle-polls", figures);
  if (ratio > RATIO_MAX) process.exitCode = 1;
  await server.stop();
  opened.close();
} finally {
  await dynamo.stop();
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;
}

/** Returns the count after the connections have had time to close. */
async function waited(count: () => number): Promise<number> {
  await sleep(1_000);
  return count();
}
