import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { codeOf, DAY_MS, HOUR_MS, NAME, numbersOf, openArchive } from "./archive-world.ts";

describe("a stream with an archive", () => {
  it("[archive.read] is read from its first event to its last when the table has lost most of it", async () => {
    const { ledger, publish, pass, readAll, rows, published, world, coldReads } =
      await openArchive();
    const moments: number[] = [];
    for (let hour = 0; hour < 16; hour++) {
      moments.push(world.nowMs);
      await publish(60, 500);
      await pass(HOUR_MS);
    }
    expect(coldReads()).toBe(0);
    await pass(12 * DAY_MS, 24 * HOUR_MS);
    await publish(5);
    expect(rows("SEQ#").length).toBeLessThan(3);
    expect(rows("SEGMENT#").length).toBeGreaterThan(9);
    for (const limit of [1_000, 33, 7]) {
      expect(numbersOf(await readAll("earliest", { limit }))).toEqual(published);
    }
    const back = await readAll("latest", { limit: 37, order: "desc" });
    expect(numbersOf(back).toReversed()).toEqual(published);
    for (const hour of [0, 1, 7, 15]) {
      const from = new Date(moments[hour] ?? 0).toISOString();
      expect(numbersOf(await readAll(from))).toEqual(published.slice(hour * 60));
    }
    for (const sequence of [1, 2, 500, 960, 961]) {
      expect(numbersOf(await readAll(String(sequence)))).toEqual(published.slice(sequence - 1));
      const one = await ledger.browse(defaultTenant, NAME, { sequence, limit: 1 });
      expect(numbersOf(one.events)).toEqual([sequence]);
    }
  });

  it("[archive.segments] has its events in gzip of one line each, as a poll prints them", async () => {
    const { ledger, publish, bucket, published } = await openArchive();
    await publish(1_000, 300);
    await publish(1_000, 300);
    const receipt = await ledger.archive(defaultTenant, NAME);
    expect(receipt).toMatchObject({ segments: 1, events: 2_000, done: true });
    expect(receipt.watermarkLag).toEqual({ events: 0, seconds: 0 });
    const [[name, object] = expect.fail()] = [...bucket.stored];
    expect(name).toMatch(/^default\/orders\/[^/]+\/P0\/0{13}1-0{10}2001-[0-9a-f]{64}\.ndjson\.gz$/);
    const lines = gunzipSync(object.body).toString().trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).data.number)).toEqual(published);
    expect(await ledger.archive(defaultTenant, NAME)).toMatchObject({ segments: 0, done: true });
  });

  it("[archive.floor] keeps its rows whatever the clock says while the bucket does not answer", async () => {
    const { ledger, publish, store, bucket, world, readAll, rows, published } = await openArchive();
    await publish(10);
    bucket.setFaults(() => ({ "slow-down": 1 }) as never);
    for (let day = 0; day < 40; day++) {
      world.nowMs += DAY_MS;
      await ledger.sweep();
      store.expireItems({ lateMs: 0 });
    }
    expect(rows("SEQ#")).toHaveLength(1);
    expect(numbersOf(await readAll("earliest"))).toEqual(published);
    bucket.setFaults();
    await ledger.sweep();
    expect(rows("SEQ#")).toHaveLength(1);
    await ledger.sweep();
    expect(rows("SEQ#")).toHaveLength(0);
    expect(numbersOf(await readAll("earliest"))).toEqual(published);
  });

  it("[archive.stop] keeps what is archived until its days are over, and frees its rows", async () => {
    const { ledger, publish, patch, pass, readAll, rows, published, bucket } = await openArchive({
      archiveDays: 20,
    });
    await publish(10);
    await pass(2 * HOUR_MS);
    await patch(null);
    expect(await ledger.getStream(defaultTenant, NAME)).not.toHaveProperty("archiveDays");
    await publish(10);
    expect(numbersOf(await readAll("earliest"))).toEqual(published);
    await pass(15 * DAY_MS, 24 * HOUR_MS);
    expect(await readAll("earliest")).toEqual([]);
    const { events, cursor } = await ledger.browse(defaultTenant, NAME, { from: "1", limit: 100 });
    expect(numbersOf(events)).toEqual(published.slice(0, 10));
    expect(await codeOf(ledger.browse(defaultTenant, NAME, { from: cursor, limit: 1 }))).toBe(
      "retention-passed",
    );
    expect(rows("SEQ#")).toHaveLength(1);
    await pass(10 * DAY_MS, 24 * HOUR_MS);
    expect(bucket.stored.size).toBe(0);
    expect(rows("SEGMENT#")).toHaveLength(0);
    expect(await codeOf(ledger.browse(defaultTenant, NAME, { from: "1", limit: 1 }))).toBe(
      "retention-passed",
    );
    await pass(10 * DAY_MS, 24 * HOUR_MS);
    expect(rows("SEQ#")).toHaveLength(0);
  });

  it("[archive.begin] begins with what the table still has when it is switched on", async () => {
    const { ledger, publish, patch, pass, readAll, published } = await openArchive({
      archiveDays: null,
      retentionHours: 48,
    });
    await publish(10);
    await pass(3 * DAY_MS);
    await publish(10);
    await pass(HOUR_MS);
    await patch(100);
    await publish(10);
    await pass(20 * DAY_MS, 24 * HOUR_MS);
    expect(numbersOf(await readAll("earliest"))).toEqual(published.slice(10));
    expect((await ledger.getStream(defaultTenant, NAME)).archive).toMatchObject({
      earliestSequence: 11,
      events: 20,
      lag: { events: 0 },
    });
  });

  it("[archive.removed] goes with its stream", async () => {
    const { ledger, publish, pass, bucket, rows } = await openArchive();
    await publish(10);
    await ledger.archive(defaultTenant, NAME);
    expect(bucket.stored.size).toBe(1);
    await ledger.deleteStream(defaultTenant, NAME);
    await pass(DAY_MS);
    expect(bucket.stored.size).toBe(0);
    expect(rows("SEGMENT#")).toHaveLength(0);
  });

  it("[archive.read] is where a subscription goes on after its events have left the table", async () => {
    const { ledger, publish, pass, published } = await openArchive({ partitions: 3 });
    const config = { name: "audit", start: "earliest", leaseSeconds: 30 } as const;
    await ledger.createSubscription(defaultTenant, NAME, config);
    const poll = () => ledger.poll(defaultTenant, NAME, "audit", { limit: 10, waitSeconds: 0 });
    await publish(100);
    const first = await poll();
    await ledger.commit(defaultTenant, NAME, "audit", first.cursor as never);
    const seen = numbersOf(first.events);
    await publish(100);
    await pass(15 * DAY_MS, 24 * HOUR_MS);
    await publish(3);
    for (let caughtUp = false; !caughtUp; ) {
      const page = await poll();
      seen.push(...numbersOf(page.events));
      await ledger.commit(defaultTenant, NAME, "audit", page.cursor as never);
      ({ caughtUp } = page);
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(published);
  });
});
