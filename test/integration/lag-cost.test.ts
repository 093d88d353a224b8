import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultTenant, type RawJson } from "../../packages/core/src/index.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { meterCapacity } from "../support/capacity.ts";
import { createTestTable } from "../support/test-table.ts";

const BATCHES = 5;
const EVENTS = 1_000;
const STREAMS = ["large", "small"] as const;
type Name = (typeof STREAMS)[number];

/** A batch has more events than one, so that its count takes several digits. */
const SMALL = Array.from({ length: 999 }, () => ({
  attributes: { key: "k" },
  data: "1" as RawJson,
}));

let place: Awaited<ReturnType<typeof createTestTable>>;

/** A process that knows nothing yet, with its own client. */
function open() {
  const { endpoint, tableName } = place;
  const keys = { adminKey: "admin", cursorKey: "cursor" };
  const opened = openLedger({ endpoint, tableName, region: LOCAL_REGION, ...keys });
  return { ...opened, meter: meterCapacity(opened.client) };
}

/** Returns the read units of a piece of work in a process that knows nothing. */
async function coldUnits(work: (ledger: ReturnType<typeof open>["ledger"]) => Promise<unknown>) {
  const { ledger, close, meter } = open();
  const { read, requests } = await meter.measure(() => work(ledger));
  close();
  console.log(`capacity: ${read} read units, ${JSON.stringify(requests)}`);
  return read;
}

beforeAll(async () => {
  place = await createTestTable();
  const { ledger, close } = open();
  const settings = { description: "", retentionHours: 24, archiveDays: null } as const;
  for (const name of STREAMS) {
    const of = [defaultTenant, name] as const;
    await ledger.createStream(defaultTenant, {
      ...{ ...settings, name, partitions: 1, compaction: "key" },
    });
    for (let batch = 0; batch < BATCHES; batch++) {
      const events = Array.from({ length: name === "large" ? EVENTS : 1 }, (_, n) => ({
        attributes: { key: `k${n}` },
        data: JSON.stringify(randomBytes(225).toString("base64")) as RawJson,
      }));
      await ledger.publish(...of, events);
    }
    await ledger.compact(...of);
    await ledger.createSubscription(...of, { name: "all", start: "earliest" });
    await ledger.createSubscription(...of, { name: "some", start: "earliest" });
    const page = await ledger.poll(...of, "some", { limit: name === "large" ? 2_500 : 2 });
    await ledger.commit(...of, "some", page.cursor);
  }
  close();
  return () => place.client.destroy();
}, 60_000);

describe("lag, end and age in a process that knows nothing", () => {
  it("[sub.lag] reads no payload: batches of 1,000 events cost what batches of one event cost", async () => {
    const list = (name: Name) =>
      coldUnits((ledger) =>
        ledger.listSubscriptions(defaultTenant, name, { limit: 10, stats: true }),
      );
    const [large, small] = [await list("large"), await list("small")];
    expect(large).toBeLessThanOrEqual(small);
    // The stream, the list and the positions of two subscriptions. The lags take three of these
    // units: the checkpoint once, and a look at the end for each.
    expect(large).toBeLessThanOrEqual(7);
  });

  it("[sub.lag] counts the events and the age of the oldest exactly", async () => {
    const { ledger, close } = open();
    const of = [defaultTenant, "large"] as const;
    const { events } = await ledger.browse(...of, { from: "earliest", limit: 10_000 });
    const ages = () =>
      [events[0], events[2_500]].map((event) => Date.now() - (event?.publishedAt ?? 0));
    const before = ages();
    const { subscriptions } = await ledger.listSubscriptions(...of, { limit: 10, stats: true });
    const after = ages();
    close();
    expect(subscriptions.map(({ lag }) => lag?.events)).toEqual([5_000, 2_500]);
    for (const [n, { lag }] of subscriptions.entries()) {
      const ms = (lag?.seconds ?? 0) * 1_000;
      expect(ms).toBeGreaterThanOrEqual(before[n] ?? 0);
      expect(ms).toBeLessThanOrEqual(1_000 + (after[n] ?? 0));
    }
  });

  it("the view of a stream reads no payload, with the lags of two subscriptions", async () => {
    const view = (name: Name) => coldUnits((ledger) => ledger.getStream(defaultTenant, name));
    const [large, small] = [await view("large"), await view("small")];
    expect(large).toBeLessThanOrEqual(small);
    expect(large).toBeLessThanOrEqual(10);
  });

  it("a seek to the latest event takes one look after what is compacted", async () => {
    const seek = (name: Name) =>
      coldUnits((ledger) => ledger.seek(defaultTenant, name, "all", { to: "latest" }));
    const [large, small] = [await seek("large"), await seek("small")];
    expect(large).toBeLessThanOrEqual(small);
  });

  it("the times of 40 large batches take no write unit more", async () => {
    const { ledger, close, meter } = open();
    const of = [defaultTenant, "many"] as const;
    await ledger.createStream(defaultTenant, {
      ...{ description: "", retentionHours: 24, archiveDays: null, name: "many" },
      ...{ partitions: 1, compaction: "none" },
    });
    for (let batch = 0; batch < 40; batch++) {
      const data = JSON.stringify(randomBytes(3_500).toString("base64")) as RawJson;
      await ledger.publish(...of, [{ attributes: { key: "k" }, data }, ...SMALL]);
      const { write, requests } = await meter.measure(() => ledger.compact(...of));
      expect(write).toBe(requests.UpdateItem);
    }
    close();
  });
});
