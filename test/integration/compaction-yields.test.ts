import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultTenant, type Ledger, type RawJson } from "../../packages/core/src/index.ts";
import { createMetrics } from "../../packages/functions/src/metrics/metrics.ts";
import { type Config, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { createLeftOver } from "../../packages/local/src/left-over.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { createTestTable } from "../support/test-table.ts";

/** This is more events than one page of the log has. */
const EVENTS = 12_000;
const KEYS = 150;

let place: Awaited<ReturnType<typeof createTestTable>>;
const closers: (() => void)[] = [];

beforeAll(async () => {
  place = await createTestTable();
  return () => place.client.destroy();
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function open(config: Partial<Config> = {}) {
  const opened = openLedger({
    endpoint: place.endpoint,
    tableName: place.tableName,
    region: LOCAL_REGION,
    adminKey: "test",
    cursorKey: "test",
    ...config,
  });
  closers.push(opened.close);
  return opened;
}

/** Counts the compacted rows that a ledger sends, and its concurrent writes. */
function countRows({ client }: ReturnType<typeof open>) {
  const count = { rows: 0, writes: 0, inFlight: 0, mostInFlight: 0 };
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const rows = JSON.stringify(args.input).match(/"KEY#/g)?.length ?? 0;
        // Rows that were put together are read afterwards, for the sizes of what they replaced.
        if (rows === 0 || /Get/.test(String(commandName))) return next(args);
        count.rows += rows;
        count.writes++;
        count.mostInFlight = Math.max(count.mostInFlight, ++count.inFlight);
        return next(args).finally(() => count.inFlight--);
      },
    { step: "initialize", name: "countRows" },
  );
  return count;
}

async function createStream(ledger: Ledger, partitions: number): Promise<string> {
  const name = `s-${randomUUID()}`;
  const rest = { description: "", retentionHours: 24, archiveDays: null };
  await ledger.createStream(defaultTenant, { name, partitions, compaction: "key", ...rest });
  return name;
}

const events = (from: number, count: number, keys: number) =>
  Array.from({ length: count }, (_, n) => ({
    attributes: { key: `k${(from + n) % keys}` },
    data: `{"n":${from + n}}` as RawJson,
  }));

async function publishAll(ledger: Ledger, stream: string, count: number, keys: number) {
  for (let at = 0; at < count; at += 1_000) {
    const some = events(at, Math.min(1_000, count - at), keys);
    await ledger.publish(defaultTenant, stream, some);
  }
}

describe("compaction of a backlog", () => {
  it("puts one row for each key that changed, however often it did", async () => {
    const opened = open();
    const stream = await createStream(opened.ledger, 1);
    await publishAll(opened.ledger, stream, EVENTS, KEYS);
    const count = countRows(opened);
    const done = await opened.ledger.compact(defaultTenant, stream);
    expect(done).toMatchObject({ compactedEvents: EVENTS, keys: KEYS, done: true });
    expect(count.rows).toBe(KEYS);
    const { event } = await opened.ledger.getCompacted(defaultTenant, stream, "k7");
    const last = EVENTS - KEYS + 7;
    expect(event).toMatchObject({ sequence: last + 1, data: `{"n":${last}}` });
  });

  it("a process has at most 32 writes in flight, whatever the number of partitions", async () => {
    const opened = open();
    const stream = await createStream(opened.ledger, 8);
    await publishAll(opened.ledger, stream, 400, 400);
    const count = countRows(opened);
    expect(await opened.ledger.compact(defaultTenant, stream)).toMatchObject({ done: true });
    expect(count).toMatchObject({ rows: 400, inFlight: 0 });
    expect(count.mostInFlight).toBeLessThanOrEqual(32);
  });

  it("compaction puts several rows together if that is cheaper", async () => {
    const opened = open({ rowsTogether: 10 });
    const stream = await createStream(opened.ledger, 1);
    await publishAll(opened.ledger, stream, 100, 45);
    const count = countRows(opened);
    expect(await opened.ledger.compact(defaultTenant, stream)).toMatchObject({ done: true });
    expect(count.rows).toBe(45);
    expect(count.writes).toBe(5);
  });

  it("compaction leaves out rows that are not newer when two runs put the same rows together", async () => {
    const opened = open({ rowsTogether: 10 });
    const stream = await createStream(opened.ledger, 1);
    await publishAll(opened.ledger, stream, 100, 45);
    const both = [open({ rowsTogether: 10 }), opened].map(({ ledger }) =>
      ledger.compact(defaultTenant, stream),
    );
    for (const done of await Promise.all(both)) expect(done).toMatchObject({ done: true });
    const page = await opened.ledger.listCompacted(defaultTenant, stream, { limit: 100 });
    const found = page.items.map(({ key, sequence }) => [key, sequence]);
    const expected = events(55, 45, 45).map(({ attributes: { key } }, n) => [key, 56 + n]);
    expect(found.sort()).toEqual(expected.sort());
  });

  it("compaction writes one row at a time on a disk that publishers need, and speeds up when they are done", async () => {
    const leftOver = createLeftOver();
    const router = open();
    leftOver.watch(router.client);
    const metrics = createMetrics();
    const compactor = open({ compactionPace: leftOver.pace, rowsTogether: 5, metrics });
    const stream = await createStream(router.ledger, 4);
    await publishAll(router.ledger, stream, 200, 200);
    const count = countRows(compactor);
    const compacting = compactor.ledger.compact(defaultTenant, stream);
    const waited: number[] = [];
    for (let n = 0; n < 20; n++) {
      const before = count.writes;
      await router.ledger.publish(defaultTenant, stream, events(n, 1, 1));
      waited.push(count.writes - before);
    }
    await compacting;
    expect(await compactor.ledger.compact(defaultTenant, stream)).toMatchObject({ done: true });
    expect(count.mostInFlight).toBe(1);
    // These are the write that was in flight, and at most one that began after its pause.
    expect(Math.max(...waited)).toBeLessThanOrEqual(2);
    const readings = new Map(metrics.readings().map(({ name, value }) => [name, value]));
    expect(readings.get("CompactedRows")).toBe(count.rows);
    expect(readings.get("CompactionLagEvents")).toBe(0);
  });
});
