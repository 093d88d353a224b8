import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as described from "../../packages/protocol/src/described/index.ts";
import { openArchivedTarget } from "./archived-target.ts";
import { createClient } from "./client.ts";

/** These tests use quotas over HTTP. The clock of the server moves only by `aheadMs`. */

let aheadMs = 0;
const START_MS = Date.now();
const { api, opened, tableName, close } = await openArchivedTarget(
  () => START_MS - Date.now() + aheadMs,
);
afterAll(close);

const sendJson = (method: string, path: string, body: object, by = api) =>
  by.send({
    method,
    path,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const as = (apiKey: string) => createClient({ ...api.target, apiKey });
type Client = ReturnType<typeof as>;

const event = (n = 1) => ({ key: "k", data: { n } });
const publish = (stream: string, count: number, by: Client) =>
  sendJson(
    "POST",
    `/streams/${stream}/events`,
    { events: Array.from({ length: count }, () => event()) },
    by,
  );

async function newKey(scopes: readonly string[], by = api) {
  const made = await sendJson("POST", "/keys", { name: "k", scopes, streams: ["*"] }, by);
  const { apiKey, id } = described.NewApiKey.parse(made.body);
  return { id, client: as(apiKey) };
}

describe("the quota of a key", () => {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
  });

  it("[quota.set] is none at first, replaced by a PUT, and removed by an empty one", async () => {
    const { id } = await newKey(["read"]);
    const path = `/keys/${id}/quota`;
    expect((await api.send({ path })).body).toEqual({});
    const limits = { requestsPerSecond: 5, eventsPerSecond: 10 };
    expect((await sendJson("PUT", path, limits)).body).toEqual(limits);
    expect((await api.send({ path })).body).toEqual(limits);
    expect((await sendJson("PUT", path, {})).body).toEqual({});
    expect((await api.send({ path })).body).toEqual({});
    const admin = await newKey(["admin"]);
    expect(await sendJson("PUT", `/keys/${admin.id}/quota`, limits)).toMatchObject({ status: 400 });
    for (const body of [{ streams: 1 }, { requestsPerSecond: 0 }, { other: 1 }]) {
      expect(await sendJson("PUT", path, body)).toMatchObject({ status: 400 });
    }
    const missing = await sendJson("PUT", `/keys/${"z".repeat(12)}/quota`, limits);
    expect(missing.body).toMatchObject({ code: "api-key-not-found" });
  });

  it("[quota.rate] stops publishing and never reading, and [quota.headers] say what is left", async () => {
    const { id, client } = await newKey(["publish", "read"]);
    await sendJson("PUT", `/keys/${id}/quota`, { eventsPerSecond: 5 });
    const first = await publish(stream, 10, client);
    expect(first.status).toBe(201);
    expect(first.header("ratelimit-policy")).toBe('"key-events";q=5;w=1');
    expect(first.header("ratelimit")).toBe('"key-events";r=0;t=1');
    const refused = await publish(stream, 2, client);
    expect(refused.header("ratelimit-policy")).toBe('"key-events";q=5;w=1');
    expect(refused.header("ratelimit")).toBe('"key-events";r=0;t=1');
    expect(refused.header("retry-after")).toBe("1");
    const until = new Date(START_MS + aheadMs + 400).toISOString();
    expect(refused.body).toMatchObject({
      ...{ status: 429, code: "quota-exceeded", retry: "later", retryAfter: 1 },
      ...{ quota: "eventsPerSecond", of: "key", limit: 5, until },
    });
    expect((await client.send({ path: `/streams/${stream}/events` })).status).toBe(200);
    const { eventCount } = await api.getStream(stream);
    expect(eventCount).toBe(10);
    aheadMs += 400;
    expect((await publish(stream, 2, client)).status).toBe(201);
  });

  it("[quota.rate] of requests counts every request, also reading", async () => {
    const { id, client } = await newKey(["read"]);
    await sendJson("PUT", `/keys/${id}/quota`, { requestsPerSecond: 2 });
    const statuses: number[] = [];
    for (let request = 0; request < 6; request++) {
      statuses.push((await client.send({ path: "/streams" })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    aheadMs += 1_000;
    const answer = await client.send({ path: "/streams" });
    expect(answer.header("ratelimit-policy")).toBe('"key-requests";q=2;w=1');
  });

  it("[quota.set] the quota of a revoked key is removed", async () => {
    const { id } = await newKey(["read"]);
    await sendJson("PUT", `/keys/${id}/quota`, { requestsPerSecond: 2 });
    const rows = async () => {
      const { Items = [] } = await opened.client.send(new ScanCommand({ TableName: tableName }));
      return Items.filter(({ sk }) => sk?.S === `OF#${id}`).length;
    };
    expect(await rows()).toBe(1);
    await api.send({ method: "DELETE", path: `/keys/${id}` });
    expect(await rows()).toBe(0);
  });

  it("[quota.cost] a key without a quota has no such header", async () => {
    const { client } = await newKey(["read"]);
    expect((await client.send({ path: "/streams" })).header("ratelimit")).toBe("");
  });
});

describe("while quotas cannot be read", () => {
  it("[quota.open] data requests pass, and those of administration change nothing", async () => {
    const made = await sendJson("POST", "/tenants", { name: "blind" });
    const tenant = as(described.NewTenant.parse(made.body).adminKey.apiKey);
    const stream = await tenant.newStream();
    aheadMs += 61_000;
    opened.client.middlewareStack.add(
      (next) => async (args) => {
        if (!JSON.stringify(args.input ?? {}).includes("QUOTA#blind")) return next(args);
        throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
      },
      { step: "initialize", name: "blind" },
    );
    expect((await publish(stream, 1, tenant)).status).toBe(201);
    expect((await tenant.send({ path: `/streams/${stream}/events` })).status).toBe(200);
    const asked = { name: "k", scopes: ["read"], streams: ["*"] };
    const refused = await sendJson("POST", "/keys", asked, tenant);
    expect(refused.body).toMatchObject({ status: 503, code: "store-unavailable", retry: "later" });
    expect((await tenant.send({ method: "DELETE", path: `/streams/${stream}` })).status).toBe(503);
    opened.client.middlewareStack.remove("blind");
    expect((await tenant.send({ path: `/streams/${stream}` })).status).toBe(200);
    const { body } = await tenant.send({ path: "/keys" });
    expect(JSON.stringify(body)).not.toContain('"name":"k"');
  }, 60_000);
});

describe("the quota of a tenant", () => {
  async function newTenant(name: string, limits: object) {
    const made = described.NewTenant.parse((await sendJson("POST", "/tenants", { name })).body);
    expect(await sendJson("PUT", `/tenants/${name}/quota`, limits)).toMatchObject({ status: 200 });
    expect((await api.send({ path: `/tenants/${name}/quota` })).body).toEqual(limits);
    return as(made.adminKey.apiKey);
  }

  it("[quota.set] needs the admin key of the installation", async () => {
    const tenant = await newTenant("small", { streams: 1 });
    expect(await sendJson("PUT", "/tenants/small/quota", {}, tenant)).toMatchObject({
      status: 403,
    });
    expect(await tenant.send({ path: "/tenants/small/quota" })).toMatchObject({ status: 403 });
  });

  it("[quota.room] limits streams and subscriptions, and not what is there", async () => {
    const tenant = await newTenant("roomy", { streams: 2, subscriptions: 1 });
    const one = await tenant.newStream();
    await tenant.newStream();
    const third = await sendJson("POST", "/streams", { name: "third" }, tenant);
    expect(third.body).toMatchObject({ code: "quota-exceeded", quota: "streams", of: "tenant" });
    expect(third.header("ratelimit-policy")).toBe('"tenant-streams";q=2');
    expect(await sendJson("POST", "/streams", { name: one }, tenant)).toMatchObject({
      status: 200,
    });
    const subscribe = (name: string) =>
      sendJson("POST", `/streams/${one}/subscriptions`, { name }, tenant);
    expect((await subscribe("a")).status).toBe(201);
    expect((await subscribe("b")).body).toMatchObject({ quota: "subscriptions", limit: 1 });
    expect((await subscribe("a")).status).toBe(200);
  });

  it("[quota.room] stops publishing when the tenant stores too much", async () => {
    const tenant = await newTenant("full", { storedBytes: 100 });
    const stream = await tenant.newStream();
    expect((await publish(stream, 10, tenant)).status).toBe(201);
    await tenant.send({ method: "POST", path: `/streams/${stream}/compact` });
    aheadMs += 61_000;
    const refused = await publish(stream, 1, tenant);
    expect(refused.body).toMatchObject({
      code: "quota-exceeded",
      quota: "storedBytes",
      limit: 100,
    });
    expect((await tenant.send({ path: `/streams/${stream}/events` })).status).toBe(200);
  });

  it("[quota.rate] counts the requests of all keys of the tenant", async () => {
    const tenant = await newTenant("busy", { requestsPerSecond: 2 });
    const statuses: number[] = [];
    for (let request = 0; request < 5; request++) {
      statuses.push((await tenant.send({ path: "/streams" })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429]);
    const { body } = await tenant.send({ path: "/streams" });
    expect(body).toMatchObject({ of: "tenant", quota: "requestsPerSecond" });
  });
});
