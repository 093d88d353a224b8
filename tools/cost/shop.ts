import { randomUUID } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { type AttributeValue, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { type Clock, systemClock } from "@eventledger/core";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { type Consumption, meterCapacity } from "../../test/support/capacity.ts";
import { orderEvents } from "../../test/support/order-events.ts";

const ADMIN_KEY = "elk_cost_measurement";
const STREAM = "/streams/orders";
const SUBSCRIPTION = `${STREAM}/subscriptions/shipping`;

/** The events of a page, and the length of its body as transferred. */
export type Polled = { readonly events: number; readonly bytes: number; readonly cursor: string };

/** One process of the product over a table that several may share. */
export type Shop = {
  /** Sends a change, so that there is the audit stream. Every sweep visits it. */
  beginAudit(): Promise<void>;
  /** Creates the stream and its subscription. */
  create(): Promise<void>;
  /** Publishes `n` orders in one request. */
  publish(n: number): Promise<void>;
  /** Publishes `n` orders in one request with an Idempotency-Key. */
  publishKeyed(n: number): Promise<void>;
  /** Publishes events of `n` fixed keys, each with the sequence of the key's last event. */
  publishExpected(n: number): Promise<void>;
  /** Polls, and returns how long the answer was. */
  poll(): Promise<Polled>;
  /** Creates a subscription for a worker that has read everything. */
  hire(): Promise<void>;
  /** Polls as that worker. */
  pollAsWorker(): Promise<Polled>;
  commit(cursor: string): Promise<void>;
  /** Commits and then polls, in one request. */
  commitAndPoll(cursor: string): Promise<Polled>;
  /** Triggers the compactor as the table's stream would. */
  compact(): Promise<void>;
  sweep(): Promise<void>;
  cost(work: () => Promise<unknown>): Promise<Consumption>;
  /** Returns how often another process was faster since the last call. */
  conflicts(): number;
  close(): Promise<void>;
};

/** Creates a table. `open` starts a process that uses it. */
export async function openTable(endpoint: string) {
  const client = new DynamoDBClient(localAws(endpoint));
  const tableName = `cost-${randomUUID()}`;
  await ensureTable(client, tableName);
  const rows = async () =>
    (await client.send(new ScanCommand({ TableName: tableName }))).Items ?? [];
  const orders = orderEvents(5_000).values();
  // The clock is stopped, because work that depends on time, such as moving a checkpoint in
  // between, would cost more on a busy machine.
  const openedAt = Date.now();
  let passedMs = 0;
  const lastOf = new Map<string, number>();
  const clock: Clock = {
    ...systemClock,
    now: () => openedAt + passedMs,
    monotonic: () => passedMs,
  };

  const open = async (): Promise<Shop> => {
    const config = { endpoint, region: LOCAL_REGION, tableName, adminKey: ADMIN_KEY };
    const opened = openLedger({ ...config, cursorKey: ADMIN_KEY, clock });
    const { measure } = meterCapacity(opened.client);
    const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
    const send = (path: string, body?: object, headers?: Record<string, string>) =>
      request(server.url + path, body, headers);
    const take = (n: number) => Array.from({ length: n }, () => orders.next().value);
    return {
      beginAudit: async () => {
        await send("/keys", { name: "audited", scopes: ["read"], streams: ["orders"] });
      },
      create: async () => {
        await send("/streams", { name: "orders" });
        await send(`${STREAM}/subscriptions`, { name: "shipping", start: "earliest" });
      },
      publish: async (n) => {
        await send(`${STREAM}/events`, { events: take(n) });
      },
      publishKeyed: async (n) => {
        await send(`${STREAM}/events`, { events: take(n) }, { "idempotency-key": randomUUID() });
      },
      publishExpected: async (n) => {
        const events = take(n).map((order, index) => {
          const key = `expected-${index}`;
          return { ...order, key, expectedSequence: lastOf.get(key) ?? 0 };
        });
        const { text } = await send(`${STREAM}/events`, { events });
        const receipt: { events: { sequence: number }[] } = JSON.parse(text);
        for (const [index, { key }] of events.entries()) {
          lastOf.set(key, receipt.events[index]?.sequence ?? 0);
        }
      },
      hire: async () => {
        await send(`${STREAM}/subscriptions`, { name: "workers", start: "latest" });
      },
      pollAsWorker: async () =>
        polled(await send(`${STREAM}/subscriptions/workers/poll?limit=500&consumer=w1`)),
      poll: async () => polled(await send(`${SUBSCRIPTION}/poll?limit=500`)),
      commit: async (cursor) => {
        await send(`${SUBSCRIPTION}/commit`, { cursor });
      },
      commitAndPoll: async (commit) =>
        polled(await send(`${SUBSCRIPTION}/poll`, { commit, limit: 500 })),
      compact: async () => {
        const batches = (await rows()).filter(({ sk }) => sk?.S?.startsWith("SEQ#"));
        await opened.ledger.ring(batches.map(({ pk }) => pk?.S ?? ""));
      },
      sweep: async () => {
        await opened.ledger.sweep();
      },
      cost: measure,
      conflicts: () =>
        opened.metrics.drain().find(({ name }) => name === "AppendConflicts")?.value ?? 0,
      close: async () => {
        await server.stop();
        opened.close();
      },
    };
  };

  return {
    open,
    /** Advances the time. It does not move otherwise. */
    pass: (ms: number) => {
      passedMs += ms;
    },
    /** Returns the stored bytes and the number of the rows whose sort key has this prefix. */
    stored: async (prefix: string) => {
      const found = (await rows()).filter(({ sk }) => sk?.S?.startsWith(prefix));
      return { rows: found.length, bytes: found.reduce((sum, row) => sum + bytesOf(row), 0) };
    },
    close: () => client.destroy(),
  };
}

/**
 * Sends a request like most clients, accepting gzip. Returns the body and its length as
 * transferred.
 */
async function request(
  url: string,
  body?: object,
  more: Record<string, string> = {},
): Promise<{ text: string; bytes: number }> {
  const method = body === undefined ? "GET" : "POST";
  const headers = {
    ...more,
    authorization: `Bearer ${ADMIN_KEY}`,
    "content-type": "application/json",
    "accept-encoding": "gzip",
  };
  const asked = http.request(url, { method, headers });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(asked, "response")) as [http.IncomingMessage];
  const bytes = await buffer(response);
  const isGzip = response.headers["content-encoding"] === "gzip";
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString();
  const { statusCode = 0 } = response;
  if (statusCode < 200 || statusCode > 299) throw new Error(`${statusCode} ${url}: ${text}`);
  return { text, bytes: bytes.length };
}

function polled({ text, bytes }: { text: string; bytes: number }): Polled {
  const { events, cursor } = JSON.parse(text);
  return { events: events.length, bytes, cursor };
}

/**
 * Returns the size of an item as DynamoDB counts it: the names of its attributes and their values.
 */
function bytesOf(row: Record<string, AttributeValue>): number {
  return Object.entries(row).reduce(
    (sum, [name, { S, N, B }]) =>
      sum +
      name.length +
      (S === undefined ? 0 : Buffer.byteLength(S)) +
      (N === undefined ? 0 : Math.ceil(N.length / 2) + 1) +
      (B?.length ?? 0),
    0,
  );
}
