import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { startStore } from "../../packages/local/src/store.ts";
import { ensureTable } from "../../packages/local/src/table.ts";

const ADMIN_KEY = "elk_walks_of_two_requests";

/**
 * Prints the source files that one publish and one poll of a warm process execute, according to
 * V8's coverage. The publish has a plain event on a stream with one partition, and the poll
 * delivers it.
 */
const root = path.resolve(import.meta.dirname, "../..");
const store = await startStore();
const table = new DynamoDBClient(localAws(store.endpoint));
await ensureTable(table, "walks");
const opened = openLedger({
  endpoint: store.endpoint,
  region: LOCAL_REGION,
  tableName: "walks",
  adminKey: ADMIN_KEY,
  cursorKey: ADMIN_KEY,
});
const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
const session = new Session();
session.connect();
try {
  await send("POST", "/streams", { name: "orders", partitions: 1 });
  await send("POST", "/streams/orders/subscriptions", { name: "shipping", start: "earliest" });
  await walk();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await walk();
  await entered();
  await publish();
  report("A publish", await entered());
  await poll();
  report("A poll", await entered());
} finally {
  session.disconnect();
  await server.stop();
  opened.close();
  table.destroy();
  await store.stop();
}

async function walk(): Promise<void> {
  await publish();
  const { cursor } = (await poll()) as { cursor: string };
  await send("POST", "/streams/orders/subscriptions/shipping/commit", { cursor });
}

async function publish(): Promise<unknown> {
  return send("POST", "/streams/orders/events", { key: "order-1", data: { total: 42 } });
}

async function poll(): Promise<unknown> {
  return send("GET", "/streams/orders/subscriptions/shipping/poll");
}

async function send(method: string, route: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${server.url}${route}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status}`);
  return response.json();
}

/** Returns the product's files with a function that was called since the last call of this one. */
async function entered(): Promise<string[]> {
  const { result } = await session.post("Profiler.takePreciseCoverage");
  return result
    .filter(({ url, functions }) => url.startsWith("file:") && functions.some(isCalled))
    .map(({ url }) => path.relative(root, fileURLToPath(url)))
    .filter((file) => /^packages\/(protocol|core|functions)\//.test(file))
    .sort();
}

function isCalled({ functionName, ranges }: Profiler.FunctionCoverage): boolean {
  return functionName !== "" && ranges.some(({ count }) => count > 0);
}

function report(title: string, files: readonly string[]): void {
  const core = files.filter((file) => file.startsWith("packages/core/"));
  console.log(`${title}: ${files.length} files, ${core.length} of them in core`);
  for (const file of files) console.log(`  ${file}`);
}
