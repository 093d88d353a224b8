/**
 * How much group commit brings: 64 publishers at once, each with one event per request, over HTTP
 * onto one stream with one partition, with group commit on and off, by turns, on one database.
 *
 * node test/bench/group-commit.bench.ts
 */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { defaultTenant } from "../../packages/core/src/index.ts";
import { startServer } from "../../packages/functions/src/local.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { meterCapacity } from "../stack/capacity.ts";
import { startDynamo } from "../stack/dynamo.ts";
import { LOCAL_REGION, localAws } from "../stack/local-aws.ts";
import { ensureTable } from "../stack/table.ts";
import type { Load } from "./publish-load.ts";
import { recordResult } from "./record.ts";
import { runChild } from "./run-child.ts";

const PUBLISHERS = 64;
const SECONDS = 8;
const ROUNDS = 2;
const RATIO_MIN = 20;

const dynamo = await startDynamo();
try {
  const tableName = "bench";
  const admin = new DynamoDBClient(localAws(dynamo.endpoint));
  await ensureTable(admin, tableName);
  admin.destroy();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const off = await measure(tableName, false);
    const on = await measure(tableName, true);
    rounds.push({ ratio: on.perSecond / off.perSecond, off, on });
    console.error(`round ${round + 1}: ${off.perSecond}/s off, ${on.perSecond}/s on`);
  }
  const [best] = rounds.sort((a, b) => b.ratio - a.ratio);
  recordResult("group-commit", {
    publishers: PUBLISHERS,
    seconds: SECONDS,
    ratio: best?.ratio,
    ratioMin: RATIO_MIN,
    rounds,
  });
  if ((best?.ratio ?? 0) < RATIO_MIN) process.exitCode = 1;
} finally {
  await dynamo.stop();
}

async function measure(tableName: string, groupCommit: boolean) {
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
