import { beforeAll, describe, expect, it } from "vitest";
import { defaultTenant, type IncomingEvent, type RawJson } from "../../packages/core/src/index.ts";
import { type OpenLedger, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { meterCapacity } from "../support/capacity.ts";
import { createTestTable } from "../support/test-table.ts";

const CONFIG = {
  description: "",
  compaction: "key",
  retentionHours: 360,
  archiveDays: null,
} as const;
const STREAMS = 6;
const PARTITIONS = 3;
const SUBSCRIPTIONS = 5;
const POSITIONS = STREAMS * PARTITIONS;

/**
 * These tests count what a page of a list with statistics costs the table. Such a page reads no
 * events.
 */
describe("a list costs the table", () => {
  let opened: OpenLedger;
  let meter: ReturnType<typeof meterCapacity>;
  let atOnce = 0;
  let received = 0;

  const all = Array.from({ length: STREAMS }, (_, n) => `s${n}`);

  beforeAll(async () => {
    const { endpoint, tableName } = await createTestTable();
    const keys = { adminKey: "admin", cursorKey: "cursor" };
    opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, ...keys });
    const { ledger } = opened;
    const data = JSON.stringify("x".repeat(2_000)) as RawJson;
    const events = Array.from(
      { length: 30 },
      (_, n): IncomingEvent => ({ attributes: { key: `k${n}` }, data }),
    );
    for (const name of all) {
      await ledger.createStream(defaultTenant, { ...CONFIG, name, partitions: PARTITIONS });
      await ledger.publish(defaultTenant, name, events);
      await ledger.compact(defaultTenant, name);
      await ledger.publish(defaultTenant, name, events);
    }
    for (let n = 0; n < SUBSCRIPTIONS; n++) {
      const config = { name: `c${n}`, start: "earliest" } as const;
      await ledger.createSubscription(defaultTenant, "s0", config);
    }
    let under = 0;
    opened.client.middlewareStack.add(
      (next) => async (args) => {
        atOnce = Math.max(atOnce, ++under);
        try {
          const result = await next(args);
          received += payloadBytes(result.output);
          return result;
        } finally {
          under--;
        }
      },
      { step: "initialize", name: "watch" },
    );
    meter = meterCapacity(opened.client);
    return () => opened.close();
  });

  const measure = async (work: () => Promise<unknown>) => {
    [atOnce, received] = [0, 0];
    const cost = await meter.measure(work);
    console.log(`capacity: ${JSON.stringify({ ...cost, atOnce, received })}`);
    return cost;
  };

  it("[list.page] a page of streams without statistics costs one query and one batch", async () => {
    const cost = await measure(() => opened.ledger.listStreams(defaultTenant, { limit: 50 }));
    expect(cost.requests).toEqual({ Query: 1, BatchGetItem: 1 });
  });

  it("[list.stats] a page of streams with statistics costs at most five reads per partition, in parallel", async () => {
    const { requests, read } = await measure(() =>
      opened.ledger.listStreams(defaultTenant, { limit: 50, stats: true }),
    );
    const { BatchGetItem, GetItem = 0, Query = 0, ...others } = requests;
    expect(others).toEqual({});
    expect(BatchGetItem).toBe(1);
    expect(GetItem).toBe(POSITIONS);
    expect(Query).toBeLessThanOrEqual(1 + STREAMS + 4 * POSITIONS);
    // For each partition it reads the last batch, and two batches at its beginning and at the
    // watermark, each for one unit.
    expect(read).toBeLessThanOrEqual(3 * STREAMS + 1 + 7 * POSITIONS);
    expect(atOnce).toBeGreaterThanOrEqual(POSITIONS);
    expect(received).toBe(0);
  });

  it("[list.stats] a page of subscriptions costs two reads for each position, in few requests", async () => {
    const { requests, read } = await measure(() =>
      opened.ledger.listSubscriptions(defaultTenant, "s0", { limit: 50, stats: true }),
    );
    const positions = SUBSCRIPTIONS * PARTITIONS;
    const { BatchGetItem, GetItem = 0, Query = 0, ...others } = requests;
    expect(others).toEqual({});
    // BatchGetItem reads a hundred offsets, or the batches after them.
    expect(BatchGetItem).toBe(2 * Math.ceil(positions / 100));
    // GetItem reads the stream once, and one checkpoint for each partition.
    expect(GetItem).toBeLessThanOrEqual(1 + PARTITIONS);
    expect(Query).toBeLessThanOrEqual(1 + 2 * PARTITIONS);
    expect(read).toBeLessThanOrEqual(3 + 2 * positions + 3 * PARTITIONS);
    expect(atOnce).toBeGreaterThanOrEqual(PARTITIONS);
    expect(received).toBe(0);
  });
});

/** Returns the bytes of events in an answer of the table. */
function payloadBytes(output: object): number {
  const { Items = [] } = output as { Items?: readonly { d?: unknown }[] };
  return Items.reduce((sum, { d }) => sum + (d === undefined ? 0 : JSON.stringify(d).length), 0);
}
