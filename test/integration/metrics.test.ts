import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IncomingEvent, Tenant } from "../../packages/core/src/index.ts";
import {
  type Config,
  type OpenLedger,
  openLedger,
} from "../../packages/functions/src/open-ledger.ts";
import { type LocalServer, startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { createTestTable } from "../support/test-table.ts";

const adminKey = "elk_metrics_test_admin";
let config: Config;
let opened: OpenLedger;
let server: LocalServer;

beforeAll(async () => {
  const { endpoint, tableName } = await createTestTable();
  config = { endpoint, region: LOCAL_REGION, tableName, adminKey, cursorKey: adminKey };
  opened = openLedger(config);
  server = await startServer(opened, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server.stop();
  opened.close();
});

describe("GET /metrics", () => {
  it("the metrics count what was published, delivered, bootstrapped, refused and consumed", async () => {
    const before = await metrics();
    expect(before.eventledger_events_published_total).toBe(0);
    await send("/streams", { name: "orders" });
    await send("/streams/orders/subscriptions", { name: "live", start: "earliest" });
    await send("/streams/orders/subscriptions", { name: "state", start: "bootstrap" });
    const events = ["a", "b", "c"].map((key) => ({ key, data: "12345678" }));
    await send("/streams/orders/events", { events });
    await send("/streams/orders/subscriptions/live/poll");
    await send("/streams/missing/events", { events });
    expect(await metrics()).toMatchObject({
      eventledger_events_published_total: 3,
      eventledger_bytes_published_total: 30,
      // One of events, and two of the audit stream for each of three changes.
      eventledger_appends_total: 7,
      eventledger_append_puts_total: 7,
      eventledger_append_conflicts_total: 0,
      eventledger_polls_total: 1,
      eventledger_events_delivered_total: 3,
      eventledger_bootstraps_total: 1,
      eventledger_compaction_lag_seconds: 0,
      'eventledger_problems_total{code="stream-not-found"}': 1,
      'eventledger_write_units_total{operation="PutItem"}': expect.any(Number),
      'eventledger_read_units_total{operation="Query"}': expect.any(Number),
    });
  });

  it("a publish that was repeated with its key counts once", async () => {
    const headers = { "idempotency-key": "once" };
    await send("/streams/orders/events", { key: "d", data: 1 }, headers);
    const once = (await metrics()).eventledger_events_published_total;
    await send("/streams/orders/events", { key: "d", data: 1 }, headers);
    expect((await metrics()).eventledger_events_published_total).toBe(once);
  });

  it("an append that found another writer faster is counted", async () => {
    const rival = openLedger(config);
    const tenant = "default" as Tenant;
    const event = { attributes: { key: "e" }, data: "1" } as IncomingEvent;
    await send("/streams/orders/events", { key: "e", data: 1 });
    await rival.ledger.publish(tenant, "orders", [event]);
    const before = await metrics();
    await send("/streams/orders/events", { key: "e", data: 1 });
    const after = await metrics();
    const rise = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    expect(rise("eventledger_append_conflicts_total")).toBe(1);
    expect(rise("eventledger_append_puts_total")).toBe(2);
    expect(rise("eventledger_appends_total")).toBe(1);
    rival.close();
  });

  it("the metrics page is no route of the API: no key, no other method, no description", async () => {
    const asked = await fetch(`${server.url}/metrics`);
    expect(asked.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect((await fetch(`${server.url}/metrics`, { method: "POST" })).status).toBe(404);
    const openApi = await (await fetch(`${server.url}/openapi.json`)).text();
    expect(openApi).not.toContain("/metrics");
  });
});

async function metrics(): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const [name = "", value] = line.split(" ");
      return [name, Number(value)];
    }),
  );
}

function send(path: string, body?: object, headers: Record<string, string> = {}) {
  return fetch(server.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${adminKey}`,
      "content-type": "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
