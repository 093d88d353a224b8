import { beforeAll, describe, expect, it } from "vitest";
import { defaultTenant, type IncomingEvent, type RawJson } from "../../packages/core/src/index.ts";
import { type OpenLedger, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { meterCapacity } from "../support/capacity.ts";
import { createSteppedClock } from "../support/stepped-clock.ts";
import { createTestTable } from "../support/test-table.ts";

const CONFIG = {
  description: "",
  compaction: "key",
  retentionHours: 360,
  archiveDays: null,
} as const;
const PARTITIONS = 4;

/**
 * These tests count what following a stream without a subscription costs the table, once the
 * process knows the stream.
 */
describe("browsing costs the table", () => {
  let opened: OpenLedger;
  let meter: ReturnType<typeof meterCapacity>;
  let cursor: string;
  const time = createSteppedClock();

  const browse = (query: Omit<Parameters<OpenLedger["ledger"]["browse"]>[2], "limit">) =>
    opened.ledger.browse(defaultTenant, "orders", { limit: 100, ...query });
  const requestsOf = async (work: () => Promise<unknown>) => (await meter.measure(work)).requests;

  beforeAll(async () => {
    const { endpoint, tableName } = await createTestTable();
    const keys = { adminKey: "admin", cursorKey: "cursor" };
    const { clock } = time;
    opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, clock, ...keys });
    time.watch(opened.client);
    meter = meterCapacity(opened.client);
    const { ledger } = opened;
    await ledger.createStream(defaultTenant, { ...CONFIG, name: "orders", partitions: PARTITIONS });
    const events = Array.from(
      { length: 40 },
      (_, n): IncomingEvent => ({ attributes: { key: `k${n}` }, data: `${n}` as RawJson }),
    );
    await ledger.publish(defaultTenant, "orders", events);
    ({ cursor } = await browse({ from: "earliest" }));
    return () => opened.close();
  });

  it("[read.follow] a page costs one query per partition when nothing is new", async () => {
    expect(await requestsOf(() => browse({ from: cursor }))).toEqual({ Query: PARTITIONS });
  });

  it("[read.filter] the history of a key costs one query", async () => {
    expect(await requestsOf(() => browse({ from: cursor, key: "k7" }))).toEqual({ Query: 1 });
    const all = await requestsOf(() => browse({ from: "earliest", key: "k7" }));
    expect(all).toEqual({ GetItem: 1, Query: 1 });
  });

  it("[read.address] one event costs one query", async () => {
    const { events } = await browse({ from: "earliest", key: "k7" });
    const sequence = events[0]?.sequence;
    expect(await requestsOf(() => browse({ key: "k7", sequence }))).toEqual({ Query: 1 });
  });

  it("[read.follow] a waiting request checks each partition every 1.5 s", async () => {
    const { Query = 0, ...others } = await requestsOf(() =>
      time.passUntil(browse({ from: cursor, waitSeconds: 20 })),
    );
    expect(others).toEqual({});
    // The poll looks at once, after 0.5 s and 1.5 s, then each 1.5 s, and when the time is up.
    expect(Query).toBeLessThanOrEqual((1 + 2 + 12 + 1) * PARTITIONS);
  });
});
