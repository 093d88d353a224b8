import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { beforeIdle } from "./before-idle.ts";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests following a stream without a subscription, and reading it backwards. */
export function followContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("following a stream of %i partitions", (partitions) =>
    follow(api, partitions),
  );
  describe.each([1, 4])("reading back a stream of %i partitions", (partitions) => {
    back(api, partitions);
    bounds(api, partitions);
    addresses(api, partitions);
  });
  describe("the history of a key", () => history(api));
  describe("what does not go together", () => together(api));
}

const KEYS = 5;
const dataOf = (events: readonly LedgerEvent[]) => events.map(({ data }) => data as number);
const countTo = (most: number, from = 1) =>
  Array.from({ length: most - from + 1 }, (_, n) => n + from);

/** Publishes the events 1, 2, 3, … in separate requests, each at a different time. */
async function publishSpread(api: Client, stream: string, most: number): Promise<void> {
  for (let n = 1; n <= most; n++) {
    await api.publish(stream, { key: `k${n % KEYS}`, type: n % 2 === 0 ? "even" : "odd", data: n });
    await sleep(2);
  }
}

function follow(api: Client, partitions: number): void {
  it("[read.follow] pages show lag and pace on the way to the end", async () => {
    const stream = await api.newStream({ partitions });
    await publishSpread(api, stream, 10);
    let from = "earliest";
    const seen: number[] = [];
    for (let left = 10; left > 0; ) {
      const { body } = await api.browse(stream, { from, limit: 3 });
      seen.push(...dataOf(body.events));
      left -= body.events.length;
      expect(body.lag?.events).toBe(left);
      expect(body.nextPollMs).toBe(body.caughtUp ? 200 : 0);
      from = body.cursor;
    }
    expect(seen.sort((a, b) => a - b)).toEqual(countTo(10));
    const idle = (await api.browse(stream, { from })).body;
    expect(idle).toMatchObject({ events: [], caughtUp: true, looked: 0 });
    expect(idle).toMatchObject({ lag: { events: 0, seconds: 0 }, nextPollMs: 1_000 });
  });

  it("[read.follow] reading waits for events, and is answered as soon as there are some", async () => {
    const stream = await api.newStream({ partitions });
    const { cursor } = (await api.browse(stream, { from: "latest" })).body;
    const waiting = api.browse(stream, { from: cursor, waitSeconds: 20 });
    await sleep(300);
    await api.publish(stream, { key: "k", data: 1 });
    const { body } = await beforeIdle(api, 10, waiting);
    expect(dataOf(body.events)).toEqual([1]);
  });

  it("[read.follow] an empty page comes when the time is up, and at once while there is more", async () => {
    const stream = await api.newStream({ partitions });
    const { cursor } = (await api.browse(stream, { from: "latest" })).body;
    const { body } = await api.browse(stream, { from: cursor, waitSeconds: 1 });
    expect(body).toMatchObject({ events: [], caughtUp: true, nextPollMs: 0 });
    await api.publish(stream, { key: "other", data: 1 });
    const filtered = await api.browse(stream, { from: cursor, type: "no", waitSeconds: 1 });
    expect(filtered.body).toMatchObject({ events: [], caughtUp: true, looked: 1 });
  });

  it("[read.filter] a keyPrefix leaves out keys that do not begin with it", async () => {
    const stream = await api.newStream({ partitions });
    const keys = ["a", "ab", "abc", "b", "ba", "é", "éa"];
    await api.publish(
      stream,
      keys.map((key, n) => ({ key, data: n })),
    );
    for (const keyPrefix of ["a", "ab", "abc", "b", "é", "z"]) {
      const { body } = await api.browse(stream, { keyPrefix });
      const wanted = keys.flatMap((key, n) => (key.startsWith(keyPrefix) ? [n] : []));
      expect(dataOf(body.events).sort(), keyPrefix).toEqual(wanted);
      expect(body).toMatchObject({ caughtUp: true, looked: keys.length });
    }
  });
}

function back(api: Client, partitions: number): void {
  let stream: string;
  const EVENTS = 23;

  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    await publishSpread(api, stream, EVENTS);
    await api.publish(
      stream,
      countTo(EVENTS + 7, EVENTS + 1).map((n) => ({ key: "batch", data: n })),
    );
  });

  it.each([1, 3, 7, 1_000])(
    "[read.back] reading back returns pages of %i from the newest to the oldest",
    async (limit) => {
      const walked: LedgerEvent[] = [];
      for (let from = "latest", pages = 0; ; pages++) {
        const { body } = await api.browse(stream, { from, order: "desc", limit });
        walked.push(...body.events);
        expect(pages).toBeLessThan(60);
        if (body.caughtUp) break;
        from = body.cursor;
      }
      expect(dataOf(walked)).toEqual(countTo(EVENTS + 7).reverse());
      const times = walked.map(({ publishedAt }) => publishedAt);
      expect(times).toEqual([...times].sort().reverse());
    },
  );

  it("[read.back] reading back begins before a place in any form", async () => {
    const forward = await api.browse(stream, { limit: 9 });
    const read = async (from: string) => (await api.browse(stream, { from, order: "desc" })).body;
    const before = await read(forward.body.cursor);
    expect([...dataOf(before.events)].sort()).toEqual(dataOf(forward.body.events).sort());
    expect(before.caughtUp).toBe(true);
    // The events before a cursor and the events after it are all events.
    const after = await api.readAll(stream, before.cursor);
    expect(dataOf(after).sort((a, b) => a - b)).toEqual(countTo(EVENTS + 7));
    expect(await read("earliest")).toMatchObject({ events: [], caughtUp: true });
    const all = (await read("latest")).events;
    const middle = all[12];
    const earlier = all.filter(({ publishedAt }) => publishedAt < (middle?.publishedAt ?? ""));
    expect(dataOf((await read(middle?.publishedAt ?? "")).events)).toEqual(dataOf(earlier));
    if (partitions === 1) expect(dataOf((await read("5")).events)).toEqual([4, 3, 2, 1]);
  });

  it("[read.back] reading back accepts filters", async () => {
    const odd = await api.browse(stream, { order: "desc", type: "odd", limit: 4 });
    expect(dataOf(odd.body.events)).toEqual([23, 21, 19, 17]);
    const more = await api.browse(stream, {
      from: odd.body.cursor,
      order: "desc",
      type: "odd",
      limit: 2,
    });
    expect(dataOf(more.body.events)).toEqual([15, 13]);
    const key = await api.browse(stream, { order: "desc", key: "k3" });
    expect(dataOf(key.body.events)).toEqual([23, 18, 13, 8, 3]);
    const prefix = await api.browse(stream, { order: "desc", keyPrefix: "ba" });
    expect(dataOf(prefix.body.events)).toEqual(countTo(30, 24).reverse());
  });

  it("[read.back] last returns the last n events in their order, and a cursor that continues", async () => {
    for (const last of [1, 5, 30, 100]) {
      const { body } = await api.browse(stream, { last });
      expect(dataOf(body.events)).toEqual(countTo(30, Math.max(1, 31 - last)));
      expect((await api.browse(stream, { from: body.cursor })).body).toMatchObject({
        events: [],
        caughtUp: true,
      });
    }
    const one = await api.browse(stream, { last: 2, key: "k1" });
    expect(dataOf(one.body.events)).toEqual([16, 21]);
    await api.publish(stream, { key: "k1", data: 31 });
    const next = await api.browse(stream, { from: one.body.cursor, key: "k1" });
    expect(dataOf(next.body.events)).toEqual([31]);
  });
}

function bounds(api: Client, partitions: number): void {
  let stream: string;
  let all: LedgerEvent[];

  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    await publishSpread(api, stream, 20);
    all = (await api.readAll(stream)).sort((a, b) => Number(a.data) - Number(b.data));
  });

  it.each([1, 4, 1_000])(
    "[read.until] reading ends before a moment, in pages of %i",
    async (limit) => {
      const until = all[12]?.publishedAt ?? "";
      const wanted = all.filter(({ publishedAt }) => publishedAt < until);
      const walked: LedgerEvent[] = [];
      for (let from = "earliest", pages = 0; ; pages++) {
        const { body } = await api.browse(stream, { from, until, limit });
        walked.push(...body.events);
        expect(pages).toBeLessThan(60);
        if (body.caughtUp) {
          expect(body.lag).toEqual({ events: 0, seconds: 0 });
          // The event at the bound and those after it are still to be read.
          const rest = await api.readAll(stream, body.cursor);
          expect(dataOf([...walked, ...rest]).sort((a, b) => a - b)).toEqual(dataOf(all));
          break;
        }
        from = body.cursor;
      }
      expect(dataOf(walked).sort((a, b) => a - b)).toEqual(dataOf(wanted));
    },
  );

  it("[read.until] reading ends before a cursor or the end, and with desc at it", async () => {
    const { cursor } = (await api.browse(stream, { limit: 8 })).body;
    const first = await api.browse(stream, { until: cursor });
    expect(first.body).toMatchObject({ caughtUp: true });
    expect(first.body.events).toHaveLength(8);
    const rest = await api.browse(stream, { from: first.body.cursor, until: "latest" });
    expect(rest.body.events).toHaveLength(12);
    const backwards = await api.browse(stream, { order: "desc", until: cursor });
    expect(backwards.body).toMatchObject({ caughtUp: true });
    expect(dataOf(backwards.body.events).sort()).toEqual(dataOf(rest.body.events).sort());
    const since = all[15]?.publishedAt ?? "";
    const newest = await api.browse(stream, { order: "desc", until: since });
    const wanted = all.filter(({ publishedAt }) => publishedAt >= since).reverse();
    expect(dataOf(newest.body.events)).toEqual(dataOf(wanted));
    const lastBefore = await api.browse(stream, { last: 3, until: since });
    expect(dataOf(lastBefore.body.events)).toEqual(
      dataOf(all.filter(({ publishedAt }) => publishedAt < since).slice(-3)),
    );
    if (partitions > 1) return;
    const range = await api.browse(stream, { from: 3, until: 7 });
    expect(dataOf(range.body.events)).toEqual([3, 4, 5, 6]);
    const back = await api.browse(stream, { from: 7, until: 3, order: "desc" });
    expect(dataOf(back.body.events)).toEqual([6, 5, 4, 3]);
  });

  it("[read.until] reading does not wait once the bound is reached", async () => {
    const until = all[3]?.publishedAt;
    const { cursor } = (await api.browse(stream, { until })).body;
    const following = api.browse(stream, { from: cursor, until, waitSeconds: 20 });
    const { body } = await beforeIdle(api, 10, following);
    expect(body).toMatchObject({ events: [], caughtUp: true });
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect((await api.browse(stream, { until: future })).body.events).toHaveLength(20);
  });
}

function addresses(api: Client, partitions: number): void {
  it("[read.address] each event is found by its key and sequence, and no other", async () => {
    const stream = await api.newStream({ partitions });
    const other = await api.newStream({ partitions });
    const events = countTo(12).map((n) => ({ key: `k${n % KEYS}`, data: n }));
    const { body } = await api.publish(stream, events);
    for (const [index, { sequence, id }] of body.events.entries()) {
      const key = events[index]?.key;
      const found = await api.browse(stream, { key, sequence });
      expect(found.body.events).toMatchObject([{ id, key, sequence, data: index + 1 }]);
      const wrong = api.browse(stream, { key: "no such key", sequence });
      await refusal(wrong, "event-not-found");
      if (partitions === 1) {
        const alone = await api.browse(stream, { sequence });
        expect(alone.body.events).toMatchObject([{ id }]);
        const next = await api.browse(stream, { from: alone.body.cursor, limit: 1 });
        expect(dataOf(next.body.events)).toEqual(index === 11 ? [] : [index + 2]);
      } else {
        const problem = await refusal(api.browse(stream, { sequence }), "invalid-request");
        expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(["/query/key"]);
      }
    }
    await refusal(api.browse(stream, { key: "k1", sequence: 1_000 }), "event-not-found");
    await refusal(api.browse(stream, { key: "k1", sequence: 1e14 }), "event-not-found");
    await refusal(api.browse(other, { key: "k1", sequence: 1 }), "event-not-found");
  });
}

function history(api: Client): void {
  it("[read.filter] a key's history reads only its partition, and reports how many events it read", async () => {
    const stream = await api.newStream({ partitions: 8 });
    const rare = (n: number) => n % 1_000 === 0;
    for (let request = 0; request < 12; request++) {
      const events = countTo(1_000 * request + 1_000, 1_000 * request + 1).map((n) => ({
        key: rare(n) ? "rare" : `k${n % 997}`,
        data: n,
      }));
      await api.publish(stream, events);
    }
    const { body } = await api.browse(stream, { key: "rare" });
    expect(dataOf(body.events)).toEqual(countTo(12).map((n) => n * 1_000));
    expect(body).toMatchObject({ caughtUp: true, lag: { events: 0 } });
    // The page reads about an eighth of the 12,000 events.
    expect(body.looked).toBeGreaterThan(500);
    expect(body.looked).toBeLessThan(4_000);
  }, 120_000);

  it("[read.filter] a filtered page reads 10,000 events", async () => {
    const stream = await api.newStream();
    for (let request = 0; request < 11; request++) {
      await api.publish(
        stream,
        countTo(1_000).map((n) => ({ key: request === 10 ? "k" : "other", data: n })),
      );
    }
    const first = (await api.browse(stream, { key: "k" })).body;
    expect(first).toMatchObject({ events: [], caughtUp: false, looked: 10_000 });
    expect(first.lag).toMatchObject({ events: 1_000 });
    const second = (await api.browse(stream, { key: "k", from: first.cursor, limit: 2 })).body;
    expect(dataOf(second.events)).toEqual([1, 2]);
    const back = (await api.browse(stream, { key: "none", order: "desc" })).body;
    expect(back).toMatchObject({ events: [], caughtUp: false, looked: 10_000 });
  }, 120_000);
}

function together(api: Client): void {
  it.each([
    ["order=desc&waitSeconds=1", "waitSeconds"],
    ["last=3&from=earliest", "from"],
    ["last=3&order=asc", "order"],
    ["last=3&limit=2", "limit"],
    ["last=3&waitSeconds=1", "waitSeconds"],
    ["key=k&sequence=1&from=earliest", "from"],
    ["key=k&sequence=1&last=1", "last"],
    ["last=0", "last"],
    ["last=1001", "last"],
    ["order=up", "order"],
    ["sequence=0", "sequence"],
    ["until=now", "until"],
    ["keyPrefix=", "keyPrefix"],
    ["waitSeconds=21", "waitSeconds"],
  ])("[read.back] refuses %s at its pointer", async (query, name) => {
    const stream = await api.newStream();
    const path = `/streams/${stream}/events?${query}`;
    const { status, body } = await api.send({ path });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: "invalid-request",
      errors: [{ pointer: `/query/${name}` }],
    });
  });
}
