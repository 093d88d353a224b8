import { randomBytes } from "node:crypto";
import { ScanCommand, type ScanCommandOutput } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLedger, defaultTenant, type Ledger } from "../../packages/core/src/index.ts";
import { systemClock } from "../../packages/core/src/kernel/clock.ts";
import { systemRandom } from "../../packages/core/src/kernel/random.ts";
import { itemBytes } from "../simulation/dynamodb/item-size.ts";
import type { Item } from "../simulation/dynamodb/value.ts";
import { createTestTable } from "../support/test-table.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let table: Awaited<ReturnType<typeof createTestTable>>;
let ledger: Ledger;
/** This is added to the clock of all ledgers of this file. */
let aheadMs = 0;
/** The counts must not depend on the speed of the machine, so some tests stop the clock. */
let stopped: { wallMs: number; monotonicMs: number } | undefined;
const sent: { name: string; sk: string; units: number }[] = [];

beforeAll(async () => {
  table = await createTestTable();
  table.client.middlewareStack.add(
    (next, context) => async (args) => {
      Object.assign(args.input, { ReturnConsumedCapacity: "TOTAL" });
      const result = await next(args);
      const input = args.input as { Item?: { sk?: { S?: string } | string } };
      const { ConsumedCapacity: used } = result.output as {
        ConsumedCapacity?: { CapacityUnits?: number };
      };
      sent.push({
        name: String(context.commandName),
        sk: JSON.stringify(input.Item?.sk ?? ""),
        units: used?.CapacityUnits ?? 0,
      });
      return result;
    },
    { step: "initialize" },
  );
  ledger = openLedger();
});

afterAll(() => table.client.destroy());

const openLedger = (): Ledger =>
  createLedger({
    client: table.client,
    tableName: table.tableName,
    clock: {
      ...systemClock,
      now: () => (stopped?.wallMs ?? Date.now()) + aheadMs,
      monotonic: () => (stopped?.monotonicMs ?? performance.now()) + aheadMs,
    },
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from("integration") }],
  });

let streams = 0;

async function createStream(config: { partitions?: number; compaction?: "key" | "none" } = {}) {
  const name = `stream-${++streams}`;
  const rest = { description: "", retentionHours: 1, archiveDays: null };
  const { partitions = 1, compaction = "key" } = config;
  await ledger.createStream(defaultTenant, { name, partitions, compaction, ...rest });
  return name;
}

const event = (key: string, data: unknown) => ({
  attributes: { key },
  data: JSON.stringify(data) as never,
});

const publish = (stream: string, ...events: ReturnType<typeof event>[]) =>
  ledger.publish(defaultTenant, stream, events);

/** Reads a bootstrapping subscription until it is consistent and caught up. */
async function readAll(stream: string, name: string, limit = 1_000) {
  const view = new Map<string, string>();
  let after: string | undefined;
  for (let pages = 1; ; pages++) {
    const query = { limit, ...(after === undefined ? {} : { after }) };
    const page = await ledger.poll(defaultTenant, stream, name, query as never);
    for (const { key, data } of page.events) {
      if (data === "null") view.delete(key);
      else view.set(key, data);
    }
    after = page.cursor;
    if (page.consistent && page.caughtUp) return { view, pages, cursor: page.cursor };
  }
}

describe("keys of every legal shape", () => {
  const keys = [
    "a",
    " ",
    " leading and trailing ",
    "#",
    "order#1#P0",
    "a/b//c",
    "100%",
    "%2F",
    "$" + "{key}",
    "naïve-🦉-鍵",
    "\u0000\u0001\n\t",
    "\uffff",
    "é",
    "e\u0301",
    "KEY#order",
    "k".repeat(512),
    "🦉".repeat(128),
  ];

  it("keys are compacted, listed, found and bootstrapped, each separate from the others", async () => {
    const stream = await createStream({ partitions: 4 });
    await publish(stream, ...keys.map((key) => event(key, { key })));
    const done = await ledger.compact(defaultTenant, stream);
    expect(done).toMatchObject({ compactedEvents: keys.length, keys: keys.length, done: true });
    for (const key of keys) {
      const { event: found } = await ledger.getCompacted(defaultTenant, stream, key);
      expect(found).toMatchObject({ key, data: JSON.stringify({ key }) });
    }
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ledger.listCompacted(defaultTenant, stream, { limit: 3, cursor });
      listed.push(...page.items.map(({ key }) => key));
      cursor = page.cursor ?? undefined;
      expect(cursor?.length ?? 0).toBeLessThan(6_144);
    } while (cursor !== undefined);
    expect(listed.sort()).toEqual([...keys].sort());
    await ledger.createSubscription(defaultTenant, stream, { name: "all", start: "bootstrap" });
    const { view } = await readAll(stream, "all", 2);
    expect([...view.keys()].sort()).toEqual([...keys].sort());
  });

  it("keys are found by their prefix and nothing else", async () => {
    const stream = await createStream();
    const some = ["a", "ab", "ab#", "abc", "b", "🦉", "🦉1"];
    await publish(stream, ...some.map((key) => event(key, 1)));
    await ledger.compact(defaultTenant, stream);
    const list = async (prefix: string) => {
      const page = await ledger.listCompacted(defaultTenant, stream, { limit: 500, prefix });
      return page.items.map(({ key }) => key).sort();
    };
    expect(await list("ab")).toEqual(["ab", "ab#", "abc"]);
    expect(await list("🦉")).toEqual(["🦉", "🦉1"]);
    expect(await list("zzz")).toEqual([]);
  });
});

describe("deleted keys", () => {
  it("deleted keys differ from unknown ones, and have no expiry when they come back", async () => {
    const stream = await createStream();
    await publish(stream, event("k", 1), event("k", null));
    await ledger.compact(defaultTenant, stream);
    const missing = (key: string) => ledger.getCompacted(defaultTenant, stream, key);
    await expect(missing("k")).rejects.toMatchObject({ facts: { deleted: true, sequence: 2 } });
    await expect(missing("x")).rejects.toMatchObject({ facts: { deleted: false } });
    await publish(stream, event("k", 3));
    await ledger.compact(defaultTenant, stream);
    expect((await missing("k")).event).toMatchObject({ sequence: 3, data: "3" });
  });
});

/** The bytes that one unit of strongly consistent read capacity covers. */
const UNIT_BYTES = 4_096;
/**
 * What a bootstrap reads besides the state, whatever its size: half a unit for each of 16 buckets,
 * the rows of the stream, the subscription, the position and the checkpoint, and one batch for the
 * lag.
 */
const BOOTSTRAP_UNITS = 12;

/** A read that finds nothing costs a unit, which DynamoDB Local does not report. */
const unitsRead = (): number =>
  sent.reduce(
    (sum, { name, units }) => sum + (/^(Get|Query)/.test(name) ? Math.max(1, units) : 0),
    0,
  );

/** Each bucket of the compacted state is queried once. */
const BUCKETS = 16;

const noise = (bytes: number): string => randomBytes(bytes / 2).toString("hex");

/** Returns the stored size of a stream's compacted state, including names and keys. */
async function loadLiveBytes(stream: string): Promise<number> {
  let bytes = 0;
  for (let from: ScanCommandOutput["LastEvaluatedKey"]; ; ) {
    const page: ScanCommandOutput = await table.client.send(
      new ScanCommand({ TableName: table.tableName, ExclusiveStartKey: from }),
    );
    const isLive = ({ pk }: Item) => /^STREAM#[^#]+#[^#]+#COMPACT#/.test(String(pk));
    const own = (page.Items as Item[]).filter(({ pk }) =>
      String(pk).startsWith(`STREAM#${stream}#`),
    );
    for (const item of own.filter(isLive)) bytes += itemBytes(item);
    from = page.LastEvaluatedKey;
    if (from === undefined) return bytes;
  }
}

describe("what it costs", () => {
  beforeAll(() => {
    stopped = { wallMs: Date.now(), monotonicMs: performance.now() };
  });
  afterAll(() => {
    stopped = undefined;
  });

  it("a burst of 1,000 events over 10 keys costs 10 writes", async () => {
    const stream = await createStream();
    for (let at = 0; at < 1_000; at += 4) {
      const burst = [0, 1, 2, 3].map((more) => event(`key-${(at + more) % 10}`, at + more));
      await publish(stream, ...burst);
    }
    sent.length = 0;
    const done = await ledger.compact(defaultTenant, stream);
    expect(done).toMatchObject({ compactedEvents: 1_000, keys: 10, done: true });
    const writes = sent.filter(({ name }) => /Put|Update|Write/.test(name));
    expect(writes).toHaveLength(11);
  });

  it("a bootstrap reads only the compacted state, whatever the log once held", async () => {
    const stream = await createStream();
    const keys = 500;
    const filler = "x".repeat(200);
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < keys; at += 500) {
        const batch = Array.from({ length: 500 }, (_, more) =>
          event(`key-${at + more}`, { round, filler, at: at + more }),
        );
        await publish(stream, ...batch);
      }
      await ledger.compact(defaultTenant, stream);
    }
    const liveBytes = await loadLiveBytes(stream);
    await ledger.createSubscription(defaultTenant, stream, { name: "new", start: "bootstrap" });
    sent.length = 0;
    const { view } = await readAll(stream, "new");
    expect(view.size).toBe(keys);
    expect(unitsRead()).toBeLessThan((liveBytes * 1.2) / UNIT_BYTES + BOOTSTRAP_UNITS);
  });

  it("a bootstrap begins, and commits at the end of the log, without reading a large batch", async () => {
    const stream = await createStream();
    await ledger.createSubscription(defaultTenant, stream, { name: "s", start: "earliest" });
    await publish(stream, ...Array.from({ length: 4 }, (_, n) => event(`k-${n}`, noise(60_000))));
    await ledger.compact(defaultTenant, stream);
    const { cursor } = await ledger.poll(defaultTenant, stream, "s", { limit: 10 } as never);
    sent.length = 0;
    await ledger.commit(defaultTenant, stream, "s", cursor);
    expect(unitsRead()).toBeLessThan(10);
    sent.length = 0;
    await ledger.listCompacted(defaultTenant, stream, { limit: 10, prefix: "none" });
    expect(unitsRead()).toBeLessThan(BUCKETS + 10);
  });

  it("a poll of an idle subscription queries the log once per partition", async () => {
    const stream = await createStream();
    await publish(stream, event("k", 1));
    await ledger.compact(defaultTenant, stream);
    await ledger.createSubscription(defaultTenant, stream, { name: "idle", start: "bootstrap" });
    const { cursor } = await readAll(stream, "idle");
    await ledger.commit(defaultTenant, stream, "idle", cursor);
    await ledger.poll(defaultTenant, stream, "idle", { limit: 100 } as never);
    sent.length = 0;
    await ledger.poll(defaultTenant, stream, "idle", { limit: 100 } as never);
    expect(sent.map(({ name }) => name)).toEqual(["QueryCommand"]);
  });
});

describe("a bootstrap", () => {
  it("a bootstrap continues in another process after what is committed, to the same state", async () => {
    const stream = await createStream({ partitions: 64 });
    const keys = Array.from({ length: 200 }, (_, index) => `${index}-${"k".repeat(490)}`);
    await publish(stream, ...keys.map((key) => event(key, 1)));
    await ledger.compact(defaultTenant, stream);
    await ledger.createSubscription(defaultTenant, stream, { name: "s", start: "bootstrap" });
    const first = await ledger.poll(defaultTenant, stream, "s", { limit: 50 } as never);
    expect(first).toMatchObject({ phase: "bootstrap", snapshotEnd: false, consistent: false });
    expect(first.cursor.length).toBeLessThan(6_144);
    expect(await ledger.commit(defaultTenant, stream, "s", first.cursor)).toMatchObject({
      stale: false,
    });
    ledger = openLedger();
    const { view, cursor } = await readAll(stream, "s", 40);
    expect(view.size).toBe(150);
    expect(await ledger.commit(defaultTenant, stream, "s", cursor)).toMatchObject({ stale: false });
    expect(await ledger.commit(defaultTenant, stream, "s", first.cursor)).toMatchObject({
      stale: true,
    });
    const info = await ledger.getSubscription(defaultTenant, stream, "s");
    expect(info).toMatchObject({ phase: "log", lag: { events: 0 } });
  });

  it("a bootstrap is refused on a stream without compacted state", async () => {
    const stream = await createStream({ compaction: "none" });
    const config = { name: "s", start: "bootstrap" } as const;
    const create = ledger.createSubscription(defaultTenant, stream, config);
    await expect(create).rejects.toMatchObject({ code: "not-compacted" });
    await publish(stream, event("k", 1));
    expect(await ledger.compact(defaultTenant, stream)).toMatchObject({
      compactedEvents: 1,
      keys: 0,
      done: true,
    });
  });

  it("a seek begins a new bootstrap, and earlier cursors become invalid", async () => {
    const stream = await createStream({ partitions: 3 });
    await publish(stream, event("a", 1), event("b", 2));
    await ledger.compact(defaultTenant, stream);
    await ledger.createSubscription(defaultTenant, stream, { name: "s", start: "latest" });
    const before = await ledger.poll(defaultTenant, stream, "s", { limit: 10 } as never);
    const sought = await ledger.seek(defaultTenant, stream, "s", { to: "bootstrap" });
    expect(sought.phase).toBe("bootstrap");
    const commit = ledger.commit(defaultTenant, stream, "s", before.cursor);
    await expect(commit).rejects.toMatchObject({ code: "invalid-cursor" });
    const { view } = await readAll(stream, "s");
    expect([...view]).toEqual(
      expect.arrayContaining([
        ["a", "1"],
        ["b", "2"],
      ]),
    );
    const { follow } = await ledger.listCompacted(defaultTenant, stream, { limit: 10 });
    await publish(stream, event("a", 3));
    await ledger.seek(defaultTenant, stream, "s", { to: { cursor: follow } });
    const after = await ledger.poll(defaultTenant, stream, "s", { limit: 10 } as never);
    expect(after.events.map(({ data }) => data)).toEqual(["3"]);
  });
});

describe("upkeep", () => {
  it("publishing stops when no process has checked for 30 days, until an operator repairs it", async () => {
    const stream = await createStream();
    await publish(stream, event("k", 1));
    aheadMs += 8 * DAY_MS;
    const attempt = () => publish(stream, event("k", 2));
    await expect(attempt()).rejects.toMatchObject({ code: "compaction-stalled" });
    aheadMs += 23 * DAY_MS;
    await expect(attempt()).rejects.toMatchObject({ code: "numbering-at-risk" });
    const compact = ledger.compact(defaultTenant, stream);
    await expect(compact).rejects.toMatchObject({ code: "numbering-at-risk" });
    const { stuck } = await ledger.sweep({ budgetMs: 20_000 });
    expect(stuck.map(({ code }) => code)).toContain("numbering-at-risk");
    const { repaired } = await ledger.repairNumbering(defaultTenant, stream);
    const { events } = await attempt();
    expect(events[0]?.sequence).toBe(repaired[0]);
    const again = await ledger.repairNumbering(defaultTenant, stream);
    expect(again).toEqual({ repaired: {}, done: true });
  });

  it("a deleted stream's rows are removed in time, except for its seals", async () => {
    const stream = await createStream({ partitions: 2 });
    await publish(stream, event("a", 1), event("b", null), event("c", 3));
    await ledger.publish(defaultTenant, stream, [event("a", 2)], { idempotencyKey: "once" });
    await ledger.createSubscription(defaultTenant, stream, { name: "s", start: "bootstrap" });
    await ledger.compact(defaultTenant, stream);
    await ledger.deleteStream(defaultTenant, stream);
    expect(await ledger.sweep({ budgetMs: 20_000 })).toMatchObject({ livesRemoved: 0 });
    aheadMs += HOUR_MS;
    expect(await ledger.sweep({ budgetMs: 20_000 })).toMatchObject({ livesRemoved: 1 });
    const again = await ledger.sweep({ budgetMs: 20_000 });
    expect(again).toMatchObject({ livesRemoved: 0, rowsRemoved: 0 });
  });
});
