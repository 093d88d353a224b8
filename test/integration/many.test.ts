import { beforeAll, describe, expect, it } from "vitest";
import type { Ledger } from "../../packages/core/src/index.ts";
import { defaultTenant, scopeName } from "../../packages/core/src/model/names.ts";
import { createTable } from "../../packages/core/src/table/table.ts";
import { createManyTable } from "../support/many-table.ts";

const table = createManyTable();
let ledger: Ledger;
beforeAll(() => {
  ledger = table.open();
});

const wide = (name: string, partitions: number) => ({
  ...{ name, partitions, description: "", compaction: "key" as const },
  ...{ retentionHours: 360, archiveDays: null },
});

/** Publishes one event to each of many keys, so that each partition has some. */
const publish = (name: string, keys: number) =>
  ledger.publish(
    defaultTenant,
    name,
    Array.from({ length: keys }, (_, n) => ({ attributes: { key: `k${n}` }, data: "1" as never })),
  );

describe("a stream of 64 partitions", () => {
  const PARTITIONS = 64;
  beforeAll(async () => {
    await ledger.createStream(defaultTenant, wide("wide", PARTITIONS));
    await publish("wide", 500);
    while (!(await ledger.compact(defaultTenant, "wide")).done);
    await ledger.createSubscription(defaultTenant, "wide", { name: "reader", start: "latest" });
  });

  it("an empty page answers in one wave of requests, one for each partition", async () => {
    const browse = async (from: string) =>
      (await ledger.browse(defaultTenant, "wide", { from, limit: 100 })).cursor;
    const poll = () => ledger.poll(defaultTenant, "wide", "reader", { limit: 100 });
    const cursor = await browse("latest");
    await poll();
    for (const read of [() => browse(cursor), poll]) {
      await read();
      expect(await table.count(read)).toEqual({
        requests: PARTITIONS,
        waves: 1,
        read: PARTITIONS,
        write: 0,
      });
    }
  });

  it("a process that knows nothing needs few waves for its first empty page", async () => {
    const { cursor } = await ledger.browse(defaultTenant, "wide", { from: "latest", limit: 1 });
    const fresh = table.open();
    const { requests, waves } = await table.count(() =>
      fresh.browse(defaultTenant, "wide", { from: cursor, limit: 100 }),
    );
    expect(requests).toBeLessThanOrEqual(2 * PARTITIONS + 1);
    expect(waves).toBeLessThanOrEqual(5);
  });

  it("[partitions.wait] 20 publishes that meet a change in one process lead the stream on once", async () => {
    await ledger.createStream(defaultTenant, wide("turning", PARTITIONS));
    const { streams } = createTable(table.connection);
    const row = await streams.load(scopeName(defaultTenant, "turning"));
    if (row === undefined) throw new Error("there is no stream");
    await streams.turnTo(row, 2);
    const fresh = table.open();
    const events = [{ attributes: { key: "k" }, data: "1" as never }];
    const { requests } = await table.count(() =>
      Promise.all(
        Array.from({ length: 20 }, () => fresh.publish(defaultTenant, "turning", events)),
      ),
    );
    expect((await ledger.getStream(defaultTenant, "turning")).partitions).toBe(2);
    // Each chain is read and gets its turn, and each publish reads the stream's row.
    expect(requests).toBeLessThanOrEqual(4 * PARTITIONS + 20 * 6);
  });

  it("a page that the first partitions fill reads no others", async () => {
    const { requests } = await table.count(() =>
      ledger.browse(defaultTenant, "wide", { from: "earliest", limit: 5 }),
    );
    // The earliest positions, then a wave of 8 partitions, and what the lag needs.
    expect(requests).toBeLessThanOrEqual(3 * PARTITIONS + 2 * 8);
  });
});

describe("a stream with 1,000 subscriptions", () => {
  const SUBSCRIPTIONS = 1_000;
  beforeAll(async () => {
    await ledger.createStream(defaultTenant, wide("popular", 1));
    for (let n = 0; n < SUBSCRIPTIONS; n++) {
      // Each of the first 300 is at a place of its own.
      if (n < 300) await publish("popular", 1);
      const name = `sub-${String(n).padStart(4, "0")}`;
      await ledger.createSubscription(defaultTenant, "popular", { name, start: "latest" });
    }
    await publish("popular", 2);
  });

  it("the view of the stream takes at most 20 requests, and shows each lag", async () => {
    let view: Awaited<ReturnType<Ledger["getStream"]>> | undefined;
    const { requests, waves } = await table.count(async () => {
      view = await ledger.getStream(defaultTenant, "popular");
    });
    expect(requests).toBeLessThanOrEqual(20);
    expect(waves).toBeLessThanOrEqual(10);
    expect(view?.subscriptionCount).toBe(SUBSCRIPTIONS);
    const lags = view?.subscriptions.map(({ lag }) => lag.events);
    expect(lags).toEqual(Array.from({ length: 256 }, (_, n) => 301 - n));
  });

  it("a page of subscriptions with their progress takes at most 10 requests", async () => {
    let lag: number | undefined;
    const { requests } = await table.count(async () => {
      const page = await ledger.listSubscriptions(defaultTenant, "popular", {
        limit: 500,
        stats: true,
      });
      lag = page.subscriptions[10]?.lag?.events;
    });
    expect(requests).toBeLessThanOrEqual(10);
    expect(lag).toBe(291);
  });
});

describe("1,000 streams", () => {
  const STREAMS = 1_000;
  let before = 0;
  beforeAll(async () => {
    before = (await ledger.sweep({ budgetMs: 60_000 })).partitions;
    for (let n = 0; n < STREAMS; n++) await ledger.createStream(defaultTenant, wide(`s-${n}`, 1));
  });

  it("a page of 500 takes as many requests as it has hundreds", async () => {
    const { requests } = await table.count(() => ledger.listStreams(defaultTenant, { limit: 500 }));
    expect(requests).toBeLessThanOrEqual(6);
  });

  it("a sweep takes three small reads for each idle partition, and writes every 6 hours", async () => {
    const sweep = () => ledger.sweep({ budgetMs: 600_000 });
    const first = await table.count(sweep);
    const partitions = before + STREAMS;
    expect(first.requests).toBeLessThanOrEqual(3 * partitions + STREAMS / 10);
    expect(first.read).toBeLessThanOrEqual(4.1 * partitions + 500);
    table.pass(60_000);
    expect(await table.count(sweep)).toMatchObject({ write: 0 });
    table.pass(6 * 3_600_000);
    const later = await table.count(sweep);
    expect(later.write).toBeGreaterThanOrEqual(partitions);
    expect(later.write).toBeLessThanOrEqual(2.1 * partitions);
  });

  it("the lag of compaction in all streams is measured in many of them at once", async () => {
    const { requests, waves } = await table.count(() => ledger.compactionLag());
    expect(requests).toBeLessThanOrEqual(3.2 * (before + STREAMS));
    expect(waves).toBeLessThanOrEqual((before + STREAMS) / 4);
    const none = await table.count(() => ledger.compactionLag([]));
    expect(none.requests).toBe(0);
  });
});
