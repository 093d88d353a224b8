import { expect, it } from "vitest";
import { defaultTenant, type IncomingEvent, type RawJson } from "../../packages/core/src/index.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { type Consumption, meterCapacity } from "../support/capacity.ts";
import { createTestTable } from "../support/test-table.ts";

const OF = [defaultTenant, "orders"] as const;
const BATCH = 500;
const EVENTS = 25_000;

const incoming = (type: string, n: number): IncomingEvent => ({
  attributes: { key: `key-${n % 97}`, type },
  data: `{"n":${n},"note":"${String(n * n).padStart(12, "0")}"}` as RawJson,
});

it("[sub.filter] a filtered page reads 10,000 events, may be empty before the end, and costs no more", async () => {
  const { endpoint, tableName } = await createTestTable();
  const keys = { adminKey: "admin", cursorKey: "cursor" };
  const opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, ...keys });
  try {
    const { ledger } = opened;
    const meter = meterCapacity(opened.client);
    await ledger.createStream(defaultTenant, {
      name: "orders",
      description: "",
      partitions: 1,
      compaction: "none",
      retentionHours: 360,
      archiveDays: null,
    });
    const filter = { types: ["wanted"] };
    await ledger.createSubscription(...OF, { name: "s", start: "earliest", filter });
    for (let n = 0; n < EVENTS; n += BATCH) {
      const events = Array.from({ length: BATCH }, (_, i) => incoming("other", n + i));
      await ledger.publish(...OF, events);
    }
    await ledger.publish(...OF, [incoming("wanted", EVENTS)]);
    const pages: { events: number; caughtUp: boolean; lag: number; cost: Consumption }[] = [];
    for (let caughtUp = false; !caughtUp; ) {
      const read: { page?: Awaited<ReturnType<typeof ledger.poll>> } = {};
      const cost = await meter.measure(async () => {
        read.page = await ledger.poll(...OF, "s", { limit: 100 });
      });
      if (read.page === undefined) throw new Error("a poll gives a page");
      const { events, cursor, lag } = read.page;
      caughtUp = read.page.caughtUp;
      pages.push({ events: events.length, caughtUp, lag: lag.events, cost });
      await ledger.commit(...OF, "s", cursor);
    }
    console.log(JSON.stringify(pages));
    expect(pages.map(({ events, caughtUp, lag }) => ({ events, caughtUp, lag }))).toEqual([
      { events: 0, caughtUp: false, lag: 15_001 },
      { events: 0, caughtUp: false, lag: 5_001 },
      { events: 1, caughtUp: true, lag: 0 },
    ]);
    // 20 batches of 500 events cost about 25 units. Positions, checkpoint and lag cost a few more.
    for (const { cost } of pages) expect(cost.read).toBeLessThanOrEqual(50);
    expect(pages.map(({ cost }) => cost.write)).toEqual([0, 0, 0]);
  } finally {
    opened.close();
  }
});
