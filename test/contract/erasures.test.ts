import { randomUUID } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { afterAll, describe, expect, it } from "vitest";
import { localAws } from "../../packages/local/src/local-aws.ts";
import * as described from "../../packages/protocol/src/described/index.ts";
import { openArchivedTarget } from "./archived-target.ts";

/** These tests erase over HTTP, with the store and the S3 server of the local stack. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
let aheadMs = 0;
const { api, opened, bucket, endpoint, tableName, close } = await openArchivedTarget(() => aheadMs);
const client = new DynamoDBClient(localAws(endpoint));
afterAll(close);

/** A text that nothing else in the table or the bucket contains. */
const newSecret = () => `secret-${randomUUID()}`;

const post = (path: string, json: object = {}) =>
  api.send({
    method: "POST",
    path,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(json),
  });

async function erase(stream: string, key: string): Promise<described.Erasure> {
  const answer = await post(`/streams/${stream}/erasures`, { key, reason: "a test" });
  expect(answer.status, answer.text).toBe(202);
  const made = described.Erasure.parse(answer.body);
  expect(answer.body).toEqual(made);
  expect(answer.header("location")).toBe(`/streams/${stream}/erasures/${made.id}`);
  return made;
}

const load = async (stream: string, id: string) =>
  described.Erasure.parse((await api.send({ path: `/streams/${stream}/erasures/${id}` })).body);

/** Sweeps until an erasure is done. It waits for processes that might have read something. */
async function finish(stream: string, { id }: { readonly id: string }) {
  expect(await opened.ledger.sweepErasures({ budgetMs: 30_000 })).toEqual([]);
  aheadMs += HOUR_MS;
  await opened.ledger.sweep();
  expect(await opened.ledger.sweepErasures({ budgetMs: 30_000 })).toEqual([]);
  const done = await load(stream, id);
  expect(done.status).toBe("done");
  return done;
}

const verify = async (stream: string, { id }: { readonly id: string }) =>
  described.ErasureCheck.parse((await post(`/streams/${stream}/erasures/${id}/verify`)).body);

/** The first bytes of everything that zstd compresses. */
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** Returns every byte of the table, and what its compressed attributes contain. */
async function bytesOfTable(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let from: Record<string, never> | undefined; ; ) {
    const page = await client.send(
      new ScanCommand({ TableName: tableName, ConsistentRead: true, ExclusiveStartKey: from }),
    );
    for (const item of page.Items ?? []) {
      parts.push(Buffer.from(JSON.stringify(item)));
      for (const [name, value] of Object.entries(unmarshall(item))) {
        if (!(value instanceof Uint8Array)) continue;
        parts.push(Buffer.from(value));
        // Batches and compacted rows have their events here, after the tag of zstd.
        if (name === "d" && value[0] === 1) parts.push(zstdDecompressSync(value.subarray(1)));
        // The parts of a list of changes have no tag.
        if (ZSTD.every((byte, at) => value[at] === byte)) parts.push(zstdDecompressSync(value));
      }
    }
    from = page.LastEvaluatedKey as typeof from;
    if (from === undefined) return Buffer.concat(parts);
  }
}

/** Returns every byte of the bucket, and what its objects contain. */
async function bytesOfBucket(): Promise<Buffer> {
  const parts: Buffer[] = [];
  const { names } = await bucket.objects.list("", undefined, 1_000);
  for (const name of names) {
    const body = await bucket.objects.read(name, 0, 100_000_000);
    if (body === undefined) continue;
    parts.push(Buffer.from(name), Buffer.from(body));
    // The record of an erasure is plain JSON.
    if (name.endsWith(".gz")) parts.push(gunzipSync(body));
  }
  return Buffer.concat(parts);
}

async function expectNowhere(secret: string): Promise<void> {
  expect((await bytesOfTable()).includes(secret), "in the table").toBe(false);
  expect((await bytesOfBucket()).includes(secret), "in the bucket").toBe(false);
}

/** Returns every event of a stream as text, exactly as pages print it. */
async function eventsOf(stream: string): Promise<string[]> {
  const texts: string[] = [];
  for (let after: string | undefined; ; ) {
    const { body } = await api.browse(stream, { from: after ?? "earliest", limit: 1_000 });
    texts.push(...body.events.map((event) => JSON.stringify(event)));
    if (body.caughtUp) return texts;
    after = body.cursor;
  }
}

/** Returns what the pages must have after an erasure of a key with this tombstone. */
function erased(before: readonly string[], key: string): string[] {
  return before.map((text) => {
    const event = JSON.parse(text);
    if (event.key !== key) return text;
    const { headers: _, data: __, ...rest } = event;
    return JSON.stringify({ ...rest, erased: true, data: null });
  });
}

/** Publishes events of many keys, with the secret in the data and the headers of one of them. */
async function fill(stream: string, secret: string, rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const some = Array.from({ length: 20 }, (_, n) => ({
      key: n % 4 === 1 ? "gone" : `k${n}`,
      type: "t",
      id: `${round}-${n}`,
      time: "2026-11-24T08:30:00Z",
      headers: { n: String(n), ...(n % 4 === 1 ? { who: secret } : {}) },
      data: { n, of: n % 4 === 1 ? `${secret} ä 💾` : "other" },
    }));
    await api.publish(stream, some);
    await api.publish(stream, { key: "gone", data: secret });
    await api.publish(stream, { key: "kept", data: { n: round } });
  }
}

describe("an erasure", () => {
  it("[erase.data] leaves nothing in the table, and [erase.events] nothing else changes", async () => {
    const stream = await api.newStream();
    const secret = newSecret();
    await fill(stream, secret);
    await api.compact(stream);
    expect((await bytesOfTable()).includes(secret)).toBe(true);
    const before = await eventsOf(stream);
    const made = await erase(stream, "gone");
    expect(made).toMatchObject({ status: "done", sequence: before.length + 1 });
    await expectNowhere(secret);
    const after = await eventsOf(stream);
    expect(after.slice(0, -1)).toEqual(erased(before, "gone"));
    expect(JSON.parse(after.at(-1) ?? "")).toMatchObject({
      sequence: made.sequence,
      key: "gone",
      erasure: made.id,
      data: null,
    });
    const state = await api.send({ path: `/streams/${stream}/compacted/gone` });
    expect(state.body).toMatchObject({ code: "key-not-found", sequence: made.sequence });
    expect((await api.getCompacted(stream, "kept")).body.data).toEqual({ n: 2 });
    expect(await verify(stream, made)).toMatchObject({
      erasedEvents: 18,
      found: null,
      cursor: null,
    });
  });

  it("[erase.events] readers of every kind pass its events", async () => {
    const stream = await api.newStream({ partitions: 3 });
    const secret = newSecret();
    await api.createSubscription(stream, { name: "log" });
    await fill(stream, secret);
    const first = await api.poll(stream, "log", { limit: 7 });
    const cursor = (await api.browse(stream, { limit: 30 })).body.cursor;
    const rest = (await api.browse(stream, { from: cursor, limit: 1_000 })).body.events;
    await erase(stream, "gone");
    const again = (await api.browse(stream, { from: cursor, limit: 1_000 })).body.events;
    const numbers = (events: readonly { sequence: number; erasure?: string | undefined }[]) =>
      events.filter(({ erasure }) => erasure === undefined).map(({ sequence }) => sequence);
    expect(numbers(again).sort()).toEqual(numbers(rest).sort());
    await api.commit(stream, "log", first.body.cursor);
    const seen = [...first.body.events];
    for (let caughtUp = false; !caughtUp; ) {
      const { body } = await api.poll(stream, "log", { limit: 100 });
      seen.push(...body.events);
      await api.commit(stream, "log", body.cursor);
      ({ caughtUp } = body);
    }
    expect(seen).toHaveLength(3 * 22 + 1);
    expect(seen.filter(({ erasure }) => erasure !== undefined)).toHaveLength(1);
    await api.compact(stream);
    await api.createSubscription(stream, { name: "state", start: "bootstrap" });
    const state: string[] = [];
    for (let done = false; !done; ) {
      const { body } = await api.poll(stream, "state", { limit: 1_000 });
      state.push(...body.events.map(({ key }) => key));
      await api.commit(stream, "state", body.cursor);
      done = body.caughtUp;
    }
    expect(state).not.toContain("gone");
    expect(state).toContain("kept");
    const types = { accept: "application/cloudevents-batch+json" };
    const page = await api.send({ path: `/streams/${stream}/events?limit=1000`, headers: types });
    const clouds = page.body as { partitionkey: string; erased?: boolean; erasure?: string }[];
    expect(clouds.filter(({ erased: is }) => is === true)).toHaveLength(18);
    expect(clouds.filter(({ erasure }) => erasure !== undefined)).toHaveLength(1);
  });

  it("[erase.tombstone] passes the types and headers of every filter", async () => {
    const stream = await api.newStream();
    await api.publish(stream, { key: "gone", type: "a", data: 1 });
    const filter = { types: ["b"], headers: { x: "y" } };
    await api.createSubscription(stream, { name: "other", filter });
    await api.createSubscription(stream, { name: "apart", filter: { keyPrefix: "k" } });
    const { id } = await erase(stream, "gone");
    const { body } = await api.poll(stream, "other");
    expect(body.events).toMatchObject([{ erased: true }, { erasure: id, data: null }]);
    expect((await load(stream, id)).subscriptions).toEqual({
      passed: 0,
      waiting: ["other"],
      more: false,
    });
    await api.commit(stream, "other", body.cursor);
    expect((await load(stream, id)).subscriptions).toMatchObject({ passed: 1, waiting: [] });
  });

  it("[erase.later] later events of the key are kept", async () => {
    const stream = await api.newStream();
    await api.publish(stream, { key: "gone", data: "old" });
    const first = await erase(stream, "gone");
    await api.publish(stream, { key: "gone", data: "new" });
    await api.compact(stream);
    await opened.ledger.sweepErasures({ budgetMs: 10_000 });
    expect((await api.getCompacted(stream, "gone")).body.data).toBe("new");
    expect((await verify(stream, first)).found).toBeNull();
    const second = await erase(stream, "gone");
    expect(second.id > first.id).toBe(true);
    expect((await eventsOf(stream)).map((text) => JSON.parse(text).data)).toEqual([
      null,
      null,
      null,
      null,
    ]);
    const listed = described.ErasureList.parse(
      (await api.send({ path: `/streams/${stream}/erasures?limit=1` })).body,
    );
    expect(listed.erasures.map(({ id }) => id)).toEqual([first.id]);
    const next = await api.send({ path: `/streams/${stream}/erasures?cursor=${listed.cursor}` });
    expect(next.body).toMatchObject({ erasures: [{ id: second.id }], cursor: null });
  });

  it("[erase.memory] a difference since before it has the tombstone, and none has its data", async () => {
    const stream = await api.newStream();
    const secret = newSecret();
    await api.publish(stream, { key: "kept", data: 0 });
    while (!(await api.compact(stream)).done);
    const list = async (since: string) => {
      const page = await api.listCompacted(stream, { since, limit: 100 });
      expect(page.cursor).toBeNull();
      return page;
    };
    const { follow: first } = await api.listCompacted(stream, { limit: 100 });
    await api.createSubscription(stream, { name: "copy", start: { since: first } });
    await fill(stream, secret);
    const tombstone = { key: "gone", type: "t", id: "deleted", headers: { who: secret } };
    await api.publish(stream, { ...tombstone, data: null });
    await api.publish(stream, { key: "gone", data: secret });
    while (!(await api.compact(stream)).done);
    const { items, follow: second } = await list(first);
    expect(items.find(({ key }) => key === "gone")?.data).toBe(secret);
    const made = await erase(stream, "gone");
    while (!(await api.compact(stream)).done);
    await expectNowhere(secret);
    const erasure = { key: "gone", sequence: made.sequence, erasure: made.id, data: null };
    const { items: all, follow: third } = await list(first);
    expect(all.filter(({ key }) => key === "gone")).toMatchObject([erasure]);
    expect((await list(second)).items).toMatchObject([erasure]);
    expect((await list(third)).items).toEqual([]);
    const polled = await api.poll(stream, "copy", { limit: 100 });
    expect(polled.body.events.filter(({ key }) => key === "gone")).toMatchObject([erasure]);
    // The row of the tombstone goes after some days. The list keeps what it needs of it.
    aheadMs += 12 * DAY_MS;
    await opened.ledger.sweep();
    await expectNowhere(secret);
    const { items: later } = await list(first);
    expect(later.filter(({ key }) => key === "gone")).toMatchObject([erasure]);
  });

  it("[erase.publish] a repeated publish gets its receipt, and writes nothing", async () => {
    const stream = await api.newStream();
    const event = { key: "gone", data: newSecret() };
    const published = await api.publish(stream, event, { idempotencyKey: "once" });
    await erase(stream, "gone");
    const again = await api.publish(stream, event, { idempotencyKey: "once" });
    expect(again.body.events).toEqual(published.body.events);
    expect(await eventsOf(stream)).toHaveLength(2);
    await expectNowhere(event.data);
  });

  it("[erase.data] takes the reason of a parked key, and its queue goes on without data", async () => {
    const stream = await api.newStream();
    const secret = newSecret();
    await api.createSubscription(stream, { name: "log" });
    await api.publish(
      stream,
      [1, 2, 3].map((n) => ({ key: "gone", data: { n, secret } })),
    );
    await api.park(stream, "log", { sequence: 2, reason: secret });
    const polled = await api.poll(stream, "log");
    await api.commit(stream, "log", polled.body.cursor);
    const { id } = await erase(stream, "gone");
    // The audit stream has the request that parked it.
    const { parked } = await api.listParked(stream, "log");
    expect(parked).toMatchObject([{ key: "gone", reason: "(erased)" }]);
    const rest = await api.poll(stream, "log");
    await api.commit(stream, "log", rest.body.cursor);
    expect((await load(stream, id)).subscriptions.waiting).toEqual(["log"]);
    await api.release(stream, "log", "gone", "retry");
    const queue = await api.poll(stream, "log");
    expect(queue.body.events).toMatchObject([
      { sequence: 2, erased: true, data: null },
      { sequence: 3, erased: true, data: null },
      { sequence: 4, erasure: id },
    ]);
    await api.commit(stream, "log", queue.body.cursor);
    expect((await load(stream, id)).subscriptions).toMatchObject({ passed: 1, waiting: [] });
  });

  it("[erase.limit] unknown ones, wrong bodies and foreign ids are refused", async () => {
    const [one, two] = [await api.newStream(), await api.newStream()];
    const { id } = await erase(one, "k");
    const foreign = await api.send({ path: `/streams/${two}/erasures/${id}` });
    expect(foreign.body).toMatchObject({ code: "erasure-not-found", status: 404 });
    for (const body of [{}, { key: "k" }, { key: "", reason: "r" }, { key: "k", reason: "" }]) {
      expect((await post(`/streams/${one}/erasures`, body)).status).toBe(400);
    }
    const odd = await api.send({ path: `/streams/${one}/erasures/abc` });
    expect(odd.body).toMatchObject({ code: "invalid-request" });
    expect(await eventsOf(one)).toHaveLength(1);
  });
});

describe("an erasure of an archived stream", () => {
  const archive = async (stream: string) =>
    described.ArchiveReceipt.parse((await post(`/streams/${stream}/archive`)).body);
  const segmentsOf = async (stream: string) =>
    described.ArchiveSegmentList.parse(
      (await api.send({ path: `/streams/${stream}/archive` })).body,
    ).segments;
  const verifyArchive = async (stream: string) =>
    described.ArchiveVerification.parse((await post(`/streams/${stream}/archive/verify`)).body);

  it("[erase.archive] rewrites the objects, and the chain still verifies", async () => {
    const stream = await api.newStream({ archiveDays: 365, retentionHours: 1 });
    const secret = newSecret();
    await fill(stream, secret);
    await archive(stream);
    await api.publish(stream, { key: "kept", data: 1 });
    await archive(stream);
    await fill(stream, secret);
    await archive(stream);
    await fill(stream, secret, 1);
    const before = await eventsOf(stream);
    const segments = await segmentsOf(stream);
    const made = await erase(stream, "gone");
    expect(made.status).toBe("erasing");
    const done = await finish(stream, made);
    expect(done.sequence).toBe(before.length + 1);
    await expectNowhere(secret);
    const now = await segmentsOf(stream);
    expect(now.slice(0, 3).map(({ chain }) => chain)).toEqual(segments.map(({ chain }) => chain));
    expect(now.map(({ rewritten }) => rewritten?.erasure)).toEqual([
      made.id,
      undefined,
      made.id,
      undefined,
    ]);
    expect(now[0]?.rewritten?.sha256).toBe(segments[0]?.sha256);
    expect(await verifyArchive(stream)).toMatchObject({ segments: 4, fault: null });
    const text = (await eventsOf(stream)).slice(0, -1);
    expect(text).toEqual(erased(before, "gone"));
    expect(await verify(stream, made)).toMatchObject({ segments: 4, found: null, cursor: null });
    aheadMs += 12 * DAY_MS;
    for (let n = 0; n < 3; n++) {
      await api.compact(stream);
      aheadMs += 2 * HOUR_MS;
      expect((await opened.ledger.sweep()).stuck).toEqual([]);
    }
    expect((await eventsOf(stream)).slice(0, -1)).toEqual(erased(before, "gone"));
    const { body } = await api.browse(stream, { last: 100, until: "60" });
    expect(body.tier).toBe("cold");
    const again = await erase(stream, "kept");
    await finish(stream, again);
    expect(await verifyArchive(stream)).toMatchObject({ fault: null });
    expect((await verify(stream, again)).found).toBeNull();
  });

  it("[erase.exports] ends the exports of the stream, and their objects go", async () => {
    const stream = await api.newStream();
    const secret = newSecret();
    await fill(stream, secret);
    const made = (await post(`/streams/${stream}/exports`)).body as described.Export;
    expect((await bytesOfBucket()).includes(secret)).toBe(true);
    const erasure = await erase(stream, "gone");
    const path = `/streams/${stream}/exports/${made.id}`;
    expect((await api.send({ path })).body).toMatchObject({ code: "export-not-found" });
    expect(erasure.doneFrom).toBeDefined();
    await finish(stream, erasure);
    await expectNowhere(secret);
    const next = (await post(`/streams/${stream}/exports`)).body as described.Export;
    expect(next).toMatchObject({ status: "done", events: 67 });
  });
});
