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

/** These tests count what a conditional publish costs the table. */
describe("what is expected of keys costs the table", () => {
  const opened: OpenLedger[] = [];
  let open: () => OpenLedger;

  beforeAll(async () => {
    const { endpoint, tableName } = await createTestTable();
    open = () => {
      const keys = { adminKey: "admin", cursorKey: "cursor" };
      const ledger = openLedger({ endpoint, region: LOCAL_REGION, tableName, ...keys });
      opened.push(ledger);
      return ledger;
    };
    return () => Promise.all(opened.map((each) => each.close()));
  });

  const event = (key: string, expectedSequence?: number): IncomingEvent => ({
    attributes: { key },
    data: "1" as RawJson,
    ...(expectedSequence === undefined ? {} : { expectedSequence }),
  });
  const publisher =
    ({ ledger }: OpenLedger, name: string) =>
    (events: readonly IncomingEvent[]) =>
      ledger.publish(defaultTenant, name, events);

  it("[publish.expected] a process that has just written the key needs only one put", async () => {
    const here = open();
    await here.ledger.createStream(defaultTenant, { ...CONFIG, name: "warm", partitions: 1 });
    const publish = publisher(here, "warm");
    const first = await publish([event("k", 0)]);
    let sequence = first.events[0]?.sequence ?? 0;
    const meter = meterCapacity(here.client);
    for (let n = 0; n < 5; n++) {
      const cost = await meter.measure(async () => {
        sequence = (await publish([event("k", sequence)])).events[0]?.sequence ?? 0;
      });
      expect(cost.requests).toEqual({ PutItem: 1 });
    }
  });

  it("[publish.expected] a new process reads each key and what is not compacted", async () => {
    const there = open();
    await there.ledger.createStream(defaultTenant, { ...CONFIG, name: "cold", partitions: 1 });
    const keys = Array.from({ length: 10 }, (_, n) => `k${n}`);
    await publisher(there, "cold")(keys.map((key) => event(key)));
    await there.ledger.compact(defaultTenant, "cold");
    const here = open();
    const meter = meterCapacity(here.client);
    const publish = publisher(here, "cold");
    const cost = await meter.measure(() => publish(keys.map((key, n) => event(key, n + 1))));
    // GetItem reads the stream, the checkpoint twice, and the state of each key. Query reads the
    // last batch to find the end.
    expect(cost.requests).toMatchObject({ PutItem: 1, GetItem: 3 + keys.length });
    expect(cost.requests.Query).toBeLessThanOrEqual(2);
  });

  it("[publish.expected-lag] a request reads at most 10,000 events, and beyond that only conditional publishes are refused", async () => {
    const here = open();
    await here.ledger.createStream(defaultTenant, { ...CONFIG, name: "lagging", partitions: 1 });
    const publish = publisher(here, "lagging");
    const thousand = Array.from({ length: 1_000 }, (_, n) => event(`k${n}`));
    for (let request = 0; request < 10; request++) await publish(thousand);
    await publish([event("one more")]);
    const meter = meterCapacity(here.client);
    const refused = await meter.measure(async () => {
      await expect(publish([event("k1", 9_002)])).rejects.toMatchObject({
        code: "compaction-lagging",
        facts: { uncompactedEvents: 10_001, uncompactedEventsMax: 10_000 },
      });
    });
    expect(refused.requests.PutItem ?? 0).toBe(0);
    expect(refused.requests.Query ?? 0).toBeLessThanOrEqual(2);
    const [both, plain] = await Promise.allSettled([
      publish([event("k1", 9_002)]),
      publish([event("plain")]),
    ]);
    expect([both.status, plain.status]).toEqual(["rejected", "fulfilled"]);
    for (let done = false; !done; )
      ({ done } = await here.ledger.compact(defaultTenant, "lagging", { budgetMs: 20_000 }));
    await publish([event("k1", 9_002)]);
  }, 120_000);
});
