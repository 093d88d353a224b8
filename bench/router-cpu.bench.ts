/**
 * Measures the CPU time that the router takes for a publish of one event, a publish of a hundred,
 * and a page of a hundred. The server runs in this process, the load and the store in others, so
 * the CPU time of this process is the router's. Other load on the machine does not change it.
 *
 * node bench/router-cpu.bench.ts [only]
 */
import { randomUUID } from "node:crypto";
import { loadavg } from "node:os";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { defaultTenant } from "../packages/core/src/index.ts";
import { openLedger } from "../packages/functions/src/open-ledger.ts";
import { startServer } from "../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../packages/local/src/local-aws.ts";
import { startStore } from "../packages/local/src/store.ts";
import { ensureTable } from "../packages/local/src/table.ts";
import { recordResult } from "./record.ts";
import { runChild } from "./run-child.ts";

const ROUNDS = 3;
const CASES = [
  { kind: "publish-1", requests: 2_000, events: 1 },
  { kind: "publish-100", requests: 200, events: 100 },
  { kind: "page-100", requests: 400, events: 100 },
];
const [only] = process.argv.slice(2);

const store = await startStore();
const adminKey = `elk_${randomUUID()}`;
const admin = new DynamoDBClient(localAws(store.endpoint));
await ensureTable(admin, "bench");
admin.destroy();
const opened = openLedger({
  endpoint: store.endpoint,
  region: LOCAL_REGION,
  tableName: "bench",
  adminKey,
  cursorKey: "bench",
});
const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
try {
  const load = Math.round((loadavg()[0] ?? 0) * 100) / 100;
  const name = `bench-${randomUUID()}`;
  const rest = { description: "", retentionHours: 360, archiveDays: null };
  const config = { name, partitions: 1, compaction: "key", ...rest } as const;
  await opened.ledger.createStream(defaultTenant, config);
  await run(name, "publish-100", 20);
  const cases = [];
  for (const { kind, requests, events } of CASES) {
    if (only !== undefined && kind !== only) continue;
    await run(name, kind, requests / 4);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await run(name, kind, requests));
    const [least = 0] = rounds.toSorted((a, b) => a - b);
    const microseconds = Math.round(least);
    cases.push({ kind, microseconds, perEvent: Math.round((least / events) * 10) / 10, rounds });
  }
  recordResult("router-cpu", { load, store: store.kind, cases });
} finally {
  await server.stop();
  opened.close();
  await store.stop();
}

/** Returns the CPU time of this process for each request, in microseconds. */
async function run(stream: string, kind: string, requests: number): Promise<number> {
  const child = runChild("router-load.ts", server.url, adminKey, stream, kind, String(requests));
  await child.ready;
  const before = process.cpuUsage();
  child.start();
  await child.result;
  const { user, system } = process.cpuUsage(before);
  return Math.round(((user + system) / requests) * 10) / 10;
}
