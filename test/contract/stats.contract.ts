import { LIMITS, type ListedStream, type ListedSubscription } from "@eventledger/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "./client.ts";
import type { Target } from "./wire.ts";

/** Tests lists whose entries include the statistics of their own views. */
export function statsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("a list of streams with numbers", () => ofStreams(api));
  describe("a list of subscriptions with numbers", () => ofSubscriptions(api));
}

const NUMBERS = ["eventCount", "bytes", "firstEventAt", "lastEventAt", "watermarkLag"] as const;

function ofStreams(api: Client): void {
  it("[list.stats] a change of partitions is no event: the time of the last one stays", async () => {
    const [empty, busy] = [await api.newStream(), await api.newStream()];
    await api.publish(busy, { key: "a", data: 1 });
    const { lastEventAt } = await api.getStream(busy);
    for (const partitions of [2, 3]) {
      for (const name of [empty, busy]) await api.patchStream(name, { partitions });
    }
    expect(await api.getStream(empty)).toMatchObject({ eventCount: 0, lastEventAt: null });
    expect(await api.getStream(busy)).toMatchObject({ eventCount: 1, lastEventAt });
    while (!(await api.compact(busy)).done);
    expect(await api.getStream(busy)).toMatchObject({ eventCount: 1, lastEventAt });
  });

  it("[list.stats] the list has the statistics of each stream's own view, and none by default", async () => {
    const [empty, busy, lanes] = [
      await api.newStream(),
      await api.newStream({ compaction: "none" }),
      await api.newStream({ partitions: 3 }),
    ];
    await api.publish(
      busy,
      [1, 2, 3].map((data) => ({ key: "a", data })),
    );
    await api.publish(
      lanes,
      ["a", "b", "c", "d"].map((key) => ({ key, data: key })),
    );
    for (const name of [busy, lanes]) await api.compact(name);
    await api.createSubscription(lanes, { name: "s" });
    const listed = await listStreams(api, { include: "stats" });
    for (const name of [empty, busy, lanes]) {
      const { subscriptions, ...own } = await api.getStream(name);
      const entry = listed.get(name);
      expect(withoutAges(entry)).toEqual(withoutAges(own));
    }
    expect(listed.get(busy)).toMatchObject({ eventCount: 3, subscriptionCount: 0 });
    expect(listed.get(lanes)).toMatchObject({ eventCount: 4, subscriptionCount: 1 });
    const plain = (await listStreams(api)).get(busy);
    for (const number of [...NUMBERS, "subscriptionCount"])
      expect(plain).not.toHaveProperty(number);
  });

  it("[list.stats] a page reads 256 partitions, and no stream is left out", async () => {
    const names = await Promise.all(
      Array.from({ length: 6 }, () => api.newStream({ partitions: LIMITS.partitionsMax })),
    );
    let cursor: string | undefined;
    const met: string[] = [];
    do {
      const { body } = await api.listStreams({ include: "stats", limit: LIMITS.listMax, cursor });
      const partitions = body.streams.reduce((sum, stream) => sum + stream.partitions, 0);
      expect(partitions).toBeLessThanOrEqual(LIMITS.streamPositionsMax);
      met.push(...body.streams.map(({ name }) => name));
      cursor = body.cursor ?? undefined;
    } while (cursor !== undefined);
    expect(new Set(met).size).toBe(met.length);
    expect(met).toEqual(expect.arrayContaining(names));
  });
}

function ofSubscriptions(api: Client): void {
  it("[list.stats] subscriptions have the lags of their places within one batch", async () => {
    const stream = await api.newStream();
    await api.publish(
      stream,
      ["a", "b", "c", "d"].map((key) => ({ key, data: key })),
    );
    for (const [name, limit] of [
      ["one", 1],
      ["two", 2],
      ["three", 3],
    ] as const) {
      await api.createSubscription(stream, { name });
      await api.commit(stream, name, (await api.poll(stream, name, { limit })).body.cursor);
    }
    const { subscriptions } = (await api.listSubscriptions(stream, { include: "stats" })).body;
    const lags = subscriptions.map(({ name, lag }) => [name, lag?.events]);
    expect(lags).toEqual([
      ["one", 3],
      ["three", 1],
      ["two", 2],
    ]);
  });

  it("[list.stats] the list has the statistics of each subscription's own view, and none by default", async () => {
    const stream = await api.newStream({ partitions: 2 });
    await api.publish(
      stream,
      ["a", "b", "c", "d"].map((key) => ({ key, data: key })),
    );
    await api.compact(stream);
    await api.createSubscription(stream, { name: "at-start" });
    await api.createSubscription(stream, { name: "at-end", start: "latest" });
    await api.createSubscription(stream, { name: "snapshot", start: "bootstrap" });
    await api.createSubscription(stream, { name: "parks" });
    const { events, cursor } = (await api.poll(stream, "parks")).body;
    const [first] = events;
    await api.park(stream, "parks", { sequence: first?.sequence ?? 0, key: first?.key ?? "" });
    await api.commit(stream, "parks", cursor);
    const { subscriptions } = (await api.listSubscriptions(stream, { include: "stats" })).body;
    expect(subscriptions.map(({ name }) => name)).toEqual([
      "at-end",
      "at-start",
      "parks",
      "snapshot",
    ]);
    for (const entry of subscriptions) {
      const { keysBehind, members, ...own } = await api.getSubscription(stream, entry.name);
      expect(withoutAge(entry)).toEqual(withoutAge(own));
    }
    expect(subscriptions).toMatchObject([
      { phase: "log", lag: { events: 0, seconds: 0 }, parkedKeys: 0 },
      { phase: "log", lag: { events: 4 }, parkedKeys: 0 },
      { phase: "log", lag: { events: 0 }, parkedKeys: 1 },
      { phase: "bootstrap", position: null, snapshot: { partsRead: 0 } },
    ]);
    const [plain] = (await api.listSubscriptions(stream)).body.subscriptions;
    for (const number of ["phase", "position", "warnings", "lag", "parkedKeys"])
      expect(plain).not.toHaveProperty(number);
  });

  it("[list.stats] a page reads 256 partitions, and no subscription is left out", async () => {
    const stream = await api.newStream({ partitions: LIMITS.partitionsMax });
    const names = ["a", "b", "c", "d", "e", "f"];
    for (const name of names) await api.createSubscription(stream, { name });
    const page = await api.listSubscriptions(stream, { include: "stats", limit: 500 });
    expect(page.body.subscriptions.map(({ name }) => name)).toEqual(names.slice(0, 4));
    const { cursor = null } = page.body;
    const rest = await api.listSubscriptions(stream, { include: "stats", cursor: cursor ?? "" });
    expect(rest.body.subscriptions.map(({ name }) => name)).toEqual(names.slice(4));
    expect(rest.body.cursor).toBeNull();
  });
}

async function listStreams(api: Client, query: Parameters<Client["listStreams"]>[0] = {}) {
  const found = new Map<string, ListedStream>();
  let cursor: string | undefined;
  do {
    const { body } = await api.listStreams({ ...query, cursor });
    for (const stream of body.streams) found.set(stream.name, stream);
    cursor = body.cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** Ages grow from one answer to the next, so they are left out. */
const withoutAges = (stream: ListedStream | undefined) => ({
  ...stream,
  watermarkLag: { ...stream?.watermarkLag, seconds: 0 },
});

const withoutAge = (subscription: ListedSubscription) => ({
  ...subscription,
  position: typeof subscription.position,
  lag: { ...subscription.lag, seconds: 0 },
});
