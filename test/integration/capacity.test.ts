import { beforeAll, describe, expect, it } from "vitest";
import { defaultTenant, type IncomingEvent, type RawJson } from "../../packages/core/src/index.ts";
import { type OpenLedger, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { type Consumption, meterCapacity } from "../support/capacity.ts";
import { orderEvents } from "../support/order-events.ts";
import { createTestTable } from "../support/test-table.ts";

const STREAM = {
  description: "",
  compaction: "key",
  retentionHours: 360,
  archiveDays: null,
} as const;

/**
 * The budgets of the product in DynamoDB's units. Each test prints the measured value next to its
 * budget.
 */
describe("what the table is charged", () => {
  let opened: OpenLedger;
  let meter: ReturnType<typeof meterCapacity>;

  beforeAll(async () => {
    const { endpoint, tableName } = await createTestTable();
    const keys = { adminKey: "admin", cursorKey: "cursor" };
    opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, ...keys });
    meter = meterCapacity(opened.client);
    return () => opened.close();
  });

  const createStream = async (name: string, partitions = 1) => {
    await opened.ledger.createStream(defaultTenant, { ...STREAM, name, partitions });
    return (events: readonly IncomingEvent[], idempotencyKey?: string) =>
      opened.ledger.publish(defaultTenant, name, events, { idempotencyKey });
  };

  it("one publish of 100 events costs one item", async () => {
    const publish = await createStream("one-item");
    await publish(orders(1));
    const cost = await meter.measure(() => publish(orders(100)));
    report("100 events, stream known", cost);
    expect(cost.requests).toEqual({ PutItem: 1 });
  });

  it("the first publish of a process also pays for reading stream and end", async () => {
    const single = await createStream("first-single");
    const one = await meter.measure(() => single(orders(1)));
    report("1 event, nothing known", one);
    expect(one.write).toBeLessThanOrEqual(2);
    expect(one.read + one.write).toBeLessThanOrEqual(5);

    const hundred = await createStream("first-hundred");
    const all = await meter.measure(() => hundred(orders(100)));
    report("100 events, nothing known", all);
    expect(all.write).toBeLessThanOrEqual(9);
  });

  it.each([
    { batch: 1, publishes: 1_000, writeMax: 1.2, readMax: 0.3 },
    { batch: 10, publishes: 100, writeMax: 0.15, readMax: 0.03 },
    { batch: 100, publishes: 20, writeMax: 0.08, readMax: 0.003 },
  ])(
    "for events published by $batch one after another is $writeMax per event at most",
    async ({ batch, publishes, writeMax, readMax }) => {
      const publish = await createStream(`by-${batch}`);
      const events = orders(batch * publishes);
      const cost = await meter.measure(async () => {
        for (let at = 0; at < events.length; at += batch)
          await publish(events.slice(at, at + batch));
      });
      const perEvent = { read: cost.read / events.length, write: cost.write / events.length };
      report(`${publishes} publishes of ${batch}, per event`, { ...cost, ...perEvent });
      expect(perEvent.write).toBeLessThanOrEqual(writeMax);
      expect(perEvent.read).toBeLessThanOrEqual(readMax);
    },
  );

  it("events with an idempotency key cost a claim and the batch, 2 per event, and no reads", async () => {
    const publish = await createStream("keyed");
    const events = orders(100);
    const cost = await meter.measure(async () => {
      for (const [n, event] of events.entries()) await publish([event], `key-${n}`);
    });
    report("100 keyed publishes of 1, per event", { ...cost, write: cost.write / 100 });
    expect(cost.requests.PutItem).toBe(200);
    expect(cost.requests.TransactWriteItems).toBeUndefined();
    expect(cost.write / 100).toBeLessThanOrEqual(2.2);
    expect(cost.requests.Query ?? 0).toBeLessThanOrEqual(1);
    const replay = await meter.measure(() => publish(events.slice(0, 1), "key-0"));
    report("a replay", replay);
    expect(replay.requests).toEqual({ PutItem: 1, Query: 1 });
  });

  it("64 publishers at once cost one item for all that waited", async () => {
    const publish = await createStream("grouped");
    await publish(orders(1));
    const events = orders(1_024);
    const cost = await meter.measure(async () => {
      for (let at = 0; at < events.length; at += 64) {
        await Promise.all(events.slice(at, at + 64).map((event) => publish([event])));
      }
    });
    report("1,024 publishes of 1 by 64 at once, per event", { ...cost, write: cost.write / 1_024 });
    expect(cost.write / 1_024).toBeLessThanOrEqual(0.12);
  });

  it("[poll.idle-cost] an idle poll costs at most one unit, whatever has been published before", async () => {
    const publish = await createStream("idle");
    const measurePoll = async (subscription: string, what: string) => {
      const config = { name: subscription, start: "latest" } as const;
      await opened.ledger.createSubscription(defaultTenant, "idle", config);
      const poll = () => opened.ledger.poll(defaultTenant, "idle", subscription, { limit: 100 });
      expect(await poll()).toMatchObject({ caughtUp: true, events: [] });
      const cost = await meter.measure(poll);
      report(`an idle poll ${what}`, cost);
      expect(cost.read).toBeLessThanOrEqual(1);
      expect(cost.write).toBe(0);
      expect(cost.requests.Scan).toBeUndefined();
      return cost;
    };
    const fresh = await measurePoll("first", "of an empty stream");
    const events = orders(1_000);
    for (let n = 0; n < 100; n++) await publish(events);
    expect(await measurePoll("second", "after 100,000 events")).toEqual(fresh);
  });
});

const orders = (count: number): IncomingEvent[] =>
  orderEvents(count).map(({ data, ...attributes }) => ({
    attributes,
    data: JSON.stringify(data) as RawJson,
  }));

const report = (what: string, { read, write, requests }: Consumption): void => {
  const units = `${write.toFixed(3)} write, ${read.toFixed(3)} read`;
  console.log(`capacity: ${what}: ${units}, ${JSON.stringify(requests)}`);
};
