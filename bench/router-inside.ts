/**
 * Measures the CPU time of requests inside one process, without a network: requests go to
 * `app.fetch`, and a substitute answers the store's requests at once. Prints the microseconds of
 * each kind of request, as one JSON line.
 *
 * node router-inside.ts <folder of a checkout> [kind] [factor]
 */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { orderEvents } from "../test/support/order-events.ts";
import { makeInstant } from "./instant-store.ts";

const [root = ".", only, factor = "1"] = process.argv.slice(2);
const from = (path: string) => import(resolve(root, "packages", path));
const { openLedger } = await from("functions/src/open-ledger.ts");
const { createApp } = await from("functions/src/http/app.ts");
const { startStore } = await from("local/src/store.ts");
const { LOCAL_REGION, localAws } = await from("local/src/local-aws.ts");
const { ensureTable } = await from("local/src/table.ts");

const store = await startStore();
const admin = new DynamoDBClient(localAws(store.endpoint));
await ensureTable(admin, "bench");
admin.destroy();
const adminKey = `elk_${randomUUID()}`;
const config = { endpoint: store.endpoint, region: LOCAL_REGION, tableName: "bench", adminKey };
const opened = openLedger({ ...config, cursorKey: "bench" });
const app = createApp({
  ledger: opened.ledger,
  authenticate: opened.authenticate,
  corsOrigins: [],
  loadDocsAsset: async () => undefined,
  logFailure: (failure: unknown) => console.error(failure),
  onAnswered: () => {},
});

const events = orderEvents(1_000);
const path = "http://localhost/streams/bench/events";
const auth = new Headers({ Authorization: `Bearer ${adminKey}` });
/** Bytes and headers are made once, because a server receives them ready. */
const post = (text: string) => {
  const body = Buffer.from(text);
  const headers = new Headers(auth);
  headers.set("Content-Type", "application/json");
  headers.set("Content-Length", String(body.length));
  return () => new Request(path, { method: "POST", body, headers });
};
const get = (query: string) => () => new Request(`${path}?${query}`, { headers: auth });
const batches = Array.from({ length: 10 }, (_, n) =>
  JSON.stringify({ events: events.slice(n * 100, n * 100 + 100) }),
);
const CASES = [
  {
    kind: "publish-1",
    requests: 6_000,
    events: 1,
    of: events.map((event) => post(JSON.stringify(event))),
    status: 201,
  },
  { kind: "publish-100", requests: 600, events: 100, of: batches.map(post), status: 201 },
  {
    kind: "page-100-of-1",
    requests: 300,
    events: 100,
    of: [get("from=earliest&limit=100")],
    status: 200,
  },
  {
    kind: "page-100",
    requests: 1_200,
    events: 100,
    of: [get("from=2026-01-01T00:00:00Z&limit=100")],
    status: 200,
  },
];

const ask = async (make: () => Request, status: number) => {
  const response: Response = await app.fetch(make());
  const text = await response.arrayBuffer();
  if (response.status !== status) throw new Error(Buffer.from(text).toString().slice(0, 500));
  return text.byteLength;
};

await app.fetch(
  new Request("http://localhost/streams", {
    method: "POST",
    headers: { Authorization: `Bearer ${adminKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name: "bench" }),
  }),
);
for (let n = 0; n < 120; n++) await ask(CASES[0]?.of[n] as () => Request, 201);
const single = await (await app.fetch(get("from=earliest&limit=120")())).json();
for (let n = 0; n < 10; n++) await ask(post(batches[n] as string), 201);
const [, , , page] = CASES;
if (page) page.of = [get(`from=${(single as { cursor: string }).cursor}&limit=100`)];
makeInstant(opened.client);

const figures: Record<string, number> = {};
for (const { kind, requests, of, status } of CASES) {
  if (only !== undefined && only !== "all" && only !== kind) continue;
  const count = Math.round(requests * Number(factor));
  const run = async (times: number) => {
    for (let n = 0; n < times; n++) await ask(of[n % of.length] as () => Request, status);
  };
  await run(Math.ceil(count / 2));
  const before = process.cpuUsage();
  await run(count);
  const { user, system } = process.cpuUsage(before);
  figures[kind] = Math.round((user + system) / count);
}
console.log(JSON.stringify(figures));
opened.close();
await store.stop();
