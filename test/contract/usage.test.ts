import { afterAll, describe, expect, it } from "vitest";
import * as described from "../../packages/protocol/src/described/index.ts";
import { openArchivedTarget } from "./archived-target.ts";
import { createClient } from "./client.ts";

/** These tests use usage over HTTP, with the store and the S3 server of the local stack. */

const HOUR_MS = 3_600_000;
let aheadMs = 0;
const { api, close } = await openArchivedTarget(() => aheadMs);
afterAll(close);

const hourNow = () => {
  const now = Date.now() + aheadMs;
  return new Date(now - (now % HOUR_MS)).toISOString();
};

/** Waits until the end of the hour is not near. */
const awayFromTheHour = () => {
  const left = HOUR_MS - ((Date.now() + aheadMs) % HOUR_MS);
  if (left < 10 * 60_000) aheadMs += left;
};

const usage = async (query: string, by = api) =>
  described.UsageList.parse((await by.send({ path: `/usage?${query}` })).body);

const compact = (stream: string) =>
  api.send({ method: "POST", path: `/streams/${stream}/compact` });

const send = (path: string, body: object, by = api) =>
  by.send({
    method: "POST",
    path,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const events = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ key: `k${n % 10}`, data: { n: 100 + n } }));
const BYTES = '["k0",9]{"n":100}'.length;
/** The size of the state of one key. It names the id of its event. */
const STATE_BYTES = '["k0",9,null,"0327d3a1-3cd8-8141-91c0-893b096cc62e"]{"n":100}'.length;

async function newKey(body: object) {
  const { apiKey, id } = described.NewApiKey.parse((await send("/keys", body)).body);
  return { id, client: createClient({ ...api.target, apiKey }) };
}

describe("usage by stream", () => {
  it("[usage.exact] has the events and bytes of each hour, and [usage.stored] what is kept", async () => {
    awayFromTheHour();
    const stream = await api.newStream({ retentionHours: 2 });
    const first = hourNow();
    await api.publish(stream, events(10));
    await api.publish(stream, events(5));
    aheadMs += HOUR_MS;
    const second = hourNow();
    await api.publish(stream, events(2));
    await compact(stream);
    const of = async (query: string) =>
      (await usage(`by=stream&${query}`)).usage.filter((entry) => entry.stream === stream);
    expect(await of("step=hour")).toEqual([
      {
        ...{ time: first, stream, requests: 2, delivered: { events: 0, bytes: 0 } },
        published: { events: 15, bytes: 15 * BYTES },
        stored: { hotBytes: 15 * BYTES, archivedBytes: 0, compactedBytes: 10 * STATE_BYTES },
      },
      {
        ...{ time: second, stream, requests: 2, delivered: { events: 0, bytes: 0 } },
        published: { events: 2, bytes: 2 * BYTES },
        stored: { hotBytes: 17 * BYTES, archivedBytes: 0, compactedBytes: 10 * STATE_BYTES },
      },
    ]);
    aheadMs += HOUR_MS;
    // Nothing was published in this hour, so everything is counted up to now.
    const { countedTo } = await usage("by=stream");
    expect(Date.parse(countedTo)).toBeGreaterThan(Date.now() + aheadMs - HOUR_MS / 2);
    const [, , third] = await of("step=hour");
    expect(third?.stored).toEqual({
      hotBytes: 2 * BYTES,
      archivedBytes: 0,
      compactedBytes: 10 * STATE_BYTES,
    });
  });
});

describe("usage by key", () => {
  it("[usage.counted] has what a key published, received and asked for", async () => {
    awayFromTheHour();
    const stream = await api.newStream();
    const scopes = ["publish", "read", "consume"];
    const { id, client } = await newKey({ name: "shop", scopes, streams: ["*"] });
    await client.publish(stream, events(7));
    await send(`/streams/${stream}/subscriptions`, { name: "s", start: "earliest" }, client);
    await client.send({ path: `/streams/${stream}/subscriptions/s/poll` });
    await client.send({ path: `/streams/${stream}/events?from=earliest&limit=2` });
    await client.send({ path: "/streams/no-such-stream/events" });
    await client.send({ path: "/usage?by=key" });
    const entries = (await usage("by=key&step=hour")).usage.filter(({ key }) => key === id);
    expect(entries).toEqual([
      {
        ...{ time: hourNow(), key: id, requests: 6 },
        published: { events: 7, bytes: 7 * BYTES },
        delivered: { events: 9, bytes: 9 * '{"n":100}'.length },
      },
    ]);
    const [ofStream] = (await usage("by=stream&step=hour")).usage.filter(
      (entry) => entry.stream === stream,
    );
    expect(ofStream).toMatchObject({ requests: 4, delivered: { events: 9 } });
  });

  it("[usage.counted] an event stream counts what it sends", async () => {
    awayFromTheHour();
    const stream = await api.newStream();
    await api.publish(stream, events(3));
    const { apiKey, baseUrl } = api.target;
    const leave = new AbortController();
    const headers = { Authorization: `Bearer ${apiKey}`, Accept: "text/event-stream" };
    const { signal } = leave;
    const answer = await fetch(`${baseUrl}/streams/${stream}/events`, { headers, signal });
    const reader = answer.body?.getReader();
    for (let text = ""; !text.includes('"n":102'); ) {
      text += new TextDecoder().decode((await reader?.read())?.value);
    }
    leave.abort();
    const found = (await usage("by=stream&step=hour")).usage.find(
      (entry) => entry.stream === stream,
    );
    expect(found?.delivered).toEqual({ events: 3, bytes: 3 * '{"n":100}'.length });
  });
});

describe("who sees what", () => {
  it("[usage.reach] a tenant sees its own usage, and the admin key that of all", async () => {
    const acme = `acme-${Date.now()}`;
    const made = described.NewTenant.parse((await send("/tenants", { name: acme })).body);
    const tenant = createClient({ ...api.target, apiKey: made.adminKey.apiKey });
    const stream = await tenant.newStream();
    await tenant.publish(stream, events(4));
    await tenant.send({ method: "POST", path: `/streams/${stream}/compact` });
    const own = await usage("by=tenant", tenant);
    expect(own.usage).toMatchObject([{ tenant: acme, published: { events: 4 }, requests: 3 }]);
    expect((await usage("by=stream", tenant)).usage.map((entry) => entry.stream)).toEqual([stream]);
    const all: described.UsageEntry[] = [];
    for (let cursor = ""; ; ) {
      const page = await usage(`by=tenant&limit=1${cursor}`);
      all.push(...page.usage);
      if (page.cursor === null) break;
      cursor = `&cursor=${page.cursor}`;
    }
    expect(all.filter((entry) => entry.tenant === acme)).toMatchObject([
      { published: { events: 4 } },
    ]);
    // These tests may pass midnight.
    const days = all.filter(({ tenant }) => tenant === "default").map(({ time }) => time);
    expect(days.length).toBeGreaterThan(0);
    expect(new Set(days).size).toBe(days.length);
    expect(await usage(`by=tenant&tenant=${acme}`)).toMatchObject({ usage: [{ tenant: acme }] });
    const other = await tenant.send({ path: "/usage?by=tenant&tenant=default" });
    expect(other.body).toMatchObject({ code: "forbidden" });
  });

  it("[usage.reach] a key that covers some streams sees those and no totals", async () => {
    const [seen, hidden] = [await api.newStream(), await api.newStream()];
    for (const stream of [seen, hidden]) await api.publish(stream, events(1));
    const { client } = await newKey({ name: "some", scopes: ["admin"], streams: [seen] });
    const { usage: entries } = await usage("by=stream", client);
    expect(entries.map((entry) => entry.stream)).toEqual([seen]);
    for (const by of ["key", "tenant"]) {
      expect((await client.send({ path: `/usage?by=${by}` })).body).toMatchObject({
        code: "forbidden",
      });
    }
    const reader = await newKey({ name: "reader", scopes: ["read"], streams: ["*"] });
    const refused = await reader.client.send({ path: "/usage?by=stream" });
    expect(refused.body).toMatchObject({ code: "forbidden" });
  });
});

describe("pages", () => {
  it("[usage.reach] pages of every size have the same entries in the same order", async () => {
    for (let n = 0; n < 3; n++) await api.publish(await api.newStream(), events(n + 1));
    const whole = (await usage("by=stream&step=hour&limit=1000")).usage;
    const paged: described.UsageEntry[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: described.UsageList = await usage(
        `by=stream&step=hour&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      expect(page.usage.length).toBeLessThanOrEqual(2);
      paged.push(...page.usage);
      cursor = page.cursor;
    }
    const names = (entries: readonly described.UsageEntry[]) =>
      entries.map(({ time, stream }) => `${time} ${stream}`);
    expect(names(paged)).toEqual(names(whole));
    expect(names(whole)).toEqual(names(whole).toSorted());
  });

  it("[usage.csv] the same page comes as CSV", async () => {
    const stream = await api.newStream();
    await api.publish(stream, events(3));
    await compact(stream);
    const path = "/usage?by=stream&step=day&limit=1000";
    const answer = await api.send({ path, headers: { accept: "text/csv" } });
    expect(answer.header("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(answer.header("eventledger-counted-to")).toMatch(/^20\d\d-/);
    const lines = String(answer.text).split("\r\n");
    expect(lines[0]).toBe(
      "time,stream,key,tenant,published_events,published_bytes,delivered_events,delivered_bytes,requests,hot_bytes,archived_bytes,compacted_bytes",
    );
    const day = `${hourNow().slice(0, 10)}T00:00:00.000Z`;
    expect(lines).toContain(
      `${day},${stream},,,3,${3 * BYTES},0,0,2,${3 * BYTES},0,${3 * STATE_BYTES}`,
    );
  });

  it.each([
    ["by=colour", "/query/by"],
    ["by=stream&step=minute", "/query/step"],
    ["by=stream&from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "/query/from"],
    ["by=stream&step=hour&from=2026-01-01T00:00:00Z", "/query/from"],
    ["by=stream&from=1990-01-01T00:00:00Z&to=1990-01-02T00:00:00Z", "/query/from"],
    ["by=stream&tenant=A", "/query/tenant"],
    ["by=stream&limit=1001", "/query/limit"],
  ])("a request for %s names what is wrong", async (query, pointer) => {
    const answer = await api.send({ path: `/usage?${query}` });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid-request" } });
    expect(JSON.stringify(answer.body)).toContain(`"${pointer}"`);
  });

  it("a cursor of another list is refused", async () => {
    const { body } = await api.send({ path: "/usage?by=stream&cursor=abcdefabcdef" });
    expect(body).toMatchObject({ code: "invalid-cursor", reason: "other-query" });
  });
});

it("[usage.stored] has the size of the archive", async () => {
  const stream = await api.newStream({ archiveDays: 30 });
  await api.publish(stream, events(50));
  const made = await api.send({ method: "POST", path: `/streams/${stream}/archive` });
  const { bytes } = described.ArchiveReceipt.parse(made.body);
  expect(bytes).toBeGreaterThan(0);
  const entry = (await usage("by=stream&step=hour")).usage.find((each) => each.stream === stream);
  expect(entry?.stored).toEqual({
    hotBytes: 50 * BYTES,
    archivedBytes: bytes,
    compactedBytes: 10 * STATE_BYTES,
  });
});

it("[usage.stored] a deleted stream stores nothing from the hour of its deletion on", async () => {
  awayFromTheHour();
  const stream = await api.newStream();
  await api.publish(stream, events(10));
  await compact(stream);
  const stored = async () =>
    (await usage("by=stream&step=hour")).usage.findLast((each) => each.stream === stream)?.stored;
  expect(await stored()).toMatchObject({ compactedBytes: 10 * STATE_BYTES });
  await api.send({ method: "DELETE", path: `/streams/${stream}` });
  const nothing = { hotBytes: 0, archivedBytes: 0, compactedBytes: 0 };
  expect(await stored()).toEqual(nothing);
  await api.createStream({ name: stream });
  expect(await stored()).toEqual(nothing);
});
