/**
 * Measures what compaction of one partition sustains on the local store: events and keys per second
 * through one compactor, CPU time per key, and DynamoDB charges. CPU time is the same on a busy
 * machine. A stream whose publishers exceed this for a day refuses further publishes.
 *
 * node bench/compaction.bench.ts
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { defaultTenant, type IncomingEvent, type RawJson } from "../packages/core/src/index.ts";
import { openLedger } from "../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION, localAws } from "../packages/local/src/local-aws.ts";
import { startStore } from "../packages/local/src/store.ts";
import { ensureTable } from "../packages/local/src/table.ts";
import { meterCapacity } from "../test/support/capacity.ts";
import { orderEvents } from "../test/support/order-events.ts";
import { recordResult } from "./record.ts";

const EVENTS = 4_000;
const BATCH = 100;
const ROUNDS = 2;
/** The share of a core that Lambda gives a function of 1 GB. A whole core comes with 1,769 MB. */
const LAMBDA_CORES = 1_024 / 1_769;

const dynamo = await startStore();
try {
  const admin = new DynamoDBClient(localAws(dynamo.endpoint));
  await ensureTable(admin, "bench");
  admin.destroy();
  const cases = [];
  for (const keys of [EVENTS, EVENTS / 40]) cases.push(await best(keys));
  recordResult("compaction", { store: dynamo.kind, events: EVENTS, batch: BATCH, cases });
} finally {
  await dynamo.stop();
}

/** Returns the least disturbed of a few rounds. */
async function best(keys: number) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(keys));
  return rounds.toSorted((a, b) => b.eventsPerSecond - a.eventsPerSecond)[0];
}

async function measure(keys: number) {
  const config = { endpoint: dynamo.endpoint, region: LOCAL_REGION, tableName: "bench" };
  const opened = openLedger({ ...config, adminKey: "bench", cursorKey: "bench" });
  try {
    const name = `bench-${crypto.randomUUID()}`;
    const settings = {
      description: "",
      compaction: "key",
      retentionHours: 360,
      archiveDays: null,
    } as const;
    await opened.ledger.createStream(defaultTenant, { ...settings, name, partitions: 1 });
    const events = orderEvents(EVENTS).map(
      ({ data }, n): IncomingEvent => ({
        attributes: { key: `order-${n % keys}` },
        data: JSON.stringify(data) as RawJson,
      }),
    );
    for (let at = 0; at < EVENTS; at += BATCH) {
      await opened.ledger.publish(defaultTenant, name, events.slice(at, at + BATCH));
    }
    const { measure: meter } = meterCapacity(opened.client);
    const began = performance.now();
    const cpu = process.cpuUsage();
    let rows = 0;
    const { read, write } = await meter(async () => {
      const done = await opened.ledger.compact(defaultTenant, name, { budgetMs: 60_000 });
      rows = done.keys;
    });
    const seconds = (performance.now() - began) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuSeconds = (user + system) / 1e6;
    return {
      keys,
      eventsPerSecond: Math.round(EVENTS / seconds),
      rowsPerSecond: Math.round(rows / seconds),
      cpuMsPerRow: Math.round((cpuSeconds * 1e5) / rows) / 100,
      eventsPerCoreSecond: Math.round(EVENTS / cpuSeconds),
      eventsPerLambdaSecond: Math.round((EVENTS / cpuSeconds) * LAMBDA_CORES),
      writeUnitsPerRow: Math.round((write / rows) * 100) / 100,
      writeUnitsPerEvent: Math.round((write / EVENTS) * 1_000) / 1_000,
      readUnitsPerEvent: Math.round((read / EVENTS) * 1_000) / 1_000,
    };
  } finally {
    opened.close();
  }
}
