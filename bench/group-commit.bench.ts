/**
 * Measures the gain of group commit. 64 publishers at once, each with one event per request,
 * publish over HTTP to one stream with one partition. Group commit is on and off by turns, on one
 * database.
 *
 * node bench/group-commit.bench.ts
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
import type { Load } from "./publish-load.ts";
import { recordResult } from "./record.ts";
import { runChild } from "./run-child.ts";

const PUBLISHERS = 64;
const SECONDS = 8;
const ROUNDS = 2;
const RATIO_MIN = 20;
/**
 * This delay is added to each request. With DynamoDB Local's own time, a put then takes about as
 * long as on DynamoDB.
 */
const DISTANT_MS = 5;

const dynamo = await startStore();
try {
  const tableName = "bench";
  const admin = new DynamoDBClient(localAws(dynamo.endpoint));
  await ensureTable(admin, tableName);
  admin.destroy();
  const local = await compare(tableName, 0);
  const distant = await compare(tableName, DISTANT_MS);
  recordResult("group-commit", {
    publishers: PUBLISHERS,
    seconds: SECONDS,
    ratio: local.ratio,
    ratioMin: RATIO_MIN,
    ratioOfDistantStore: distant.ratio,
    distantStoreMs: DISTANT_MS,
    local: local.rounds,
    distant: distant.rounds,
  });
  // DynamoDB is milliseconds away. A store on this machine answers a put several times faster.
  if (distant.ratio < RATIO_MIN) process.exitCode = 1;
} finally {
  await dynamo.stop();
}

/** Returns the ratio of the least disturbed round: the one in which the slower variant did best. */
async function compare(tableName: string, storeDelayMs: number) {
  const rounds = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const off = await measure(tableName, false, storeDelayMs);
    const on = await measure(tableName, true, storeDelayMs);
    const ratio = Number((on.perSecond / off.perSecond).toFixed(1));
    rounds.push({ ratio, off, on });
    console.error(
      `+${storeDelayMs} ms, round ${round}: ${off.perSecond}/s off, ${on.perSecond}/s on`,
    );
  }
  const [quietest] = rounds.toSorted((a, b) => b.off.perSecond - a.off.perSecond);
  return { ratio: quietest?.ratio ?? 0, rounds };
}

async function measure(tableName: string, groupCommit: boolean, storeDelayMs: number) {
  const { endpoint } = dynamo;
  const adminKey = `elk_${randomUUID()}`;
  const opened = openLedger({
    endpoint,
    region: LOCAL_REGION,
    tableName,
    adminKey,
    cursorKey: "bench",
    groupCommit,
  });
  const name = `bench-${randomUUID()}`;
  const config = {
    description: "",
    partitions: 1,
    compaction: "key",
    retentionHours: 360,
  } as const;
  await opened.ledger.createStream(defaultTenant, { ...config, name, archiveDays: null });
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  const meter = meterCapacity(opened.client);
  opened.client.middlewareStack.add(
    (next) => async (args) => {
      if (storeDelayMs > 0) await sleep(storeDelayMs);
      return next(args);
    },
    { step: "initialize", name: "distance" },
  );
  let load: Load | undefined;
  const { requests, write } = await meter.measure(async () => {
    const parameters = [server.url, adminKey, name, String(PUBLISHERS), String(SECONDS)];
    const child = runChild<Load>("publish-load.ts", ...parameters);
    await child.ready;
    child.start();
    load = await child.result;
  });
  const { eventCount } = await opened.ledger.getStream(defaultTenant, name);
  await server.stop();
  opened.close();
  if (load === undefined) throw new Error("the load printed nothing");
  return {
    ...load,
    putsPerPublish: Number(((requests.PutItem ?? 0) / eventCount).toFixed(4)),
    writeUnitsPerEvent: Number((write / eventCount).toFixed(4)),
  };
}
