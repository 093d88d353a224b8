import { expect, it } from "vitest";
import { defaultTenant, type RawJson } from "../../packages/core/src/index.ts";
import { partitionOf } from "../../packages/core/src/model/partition.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { meterCapacity } from "../support/capacity.ts";
import { createMovedClock } from "../support/moved-clock.ts";
import { createTestTable } from "../support/test-table.ts";

/** These tests count what it costs to read on where a cursor has only a time. */

const OF = [defaultTenant, "orders"] as const;
const HOUR_MS = 3_600_000;
const [HERE, THERE] = ["a", "b"];

async function open() {
  const { endpoint, tableName } = await createTestTable();
  const { clock, pass } = createMovedClock();
  const keys = { adminKey: "admin", cursorKey: "cursor" };
  const opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, clock, ...keys });
  const { ledger } = opened;
  await ledger.createStream(defaultTenant, {
    name: "orders",
    description: "",
    partitions: 2,
    compaction: "none",
    retentionHours: 1,
    archiveDays: null,
  });
  expect(partitionOf(HERE, 2)).not.toBe(partitionOf(THERE, 2));
  const publish = async (key: string) =>
    (await ledger.publish(...OF, [{ attributes: { key }, data: "1" as RawJson }])).cursor;
  const meter = meterCapacity(opened.client);
  /** Returns what the first page after a cursor costs more than the page after it. */
  const cost = async (from: string) => {
    let page = { cursor: from };
    const read = async () => {
      page = await ledger.browse(...OF, { from: page.cursor, limit: 9 });
    };
    // The checkpoints are remembered from here on.
    await read();
    page = { cursor: from };
    const [first, second] = [await meter.measure(read), await meter.measure(read)];
    const { GetItem = 0, Query = 0 } = first.requests;
    return {
      GetItem: GetItem - (second.requests.GetItem ?? 0),
      Query: Query - (second.requests.Query ?? 0),
      units: first.read - second.read,
    };
  };
  return { ...opened, publish, pass, cost };
}

it("[cursor.unread] a place among kept events costs its search, and no read to check for losses", async () => {
  const { publish, pass, cost, close } = await open();
  for (let n = 0; n < 8; n++) await publish(THERE);
  // Nothing of the partition is expired.
  const young = await publish(HERE);
  pass(HOUR_MS / 4);
  const cursor = await publish(HERE);
  // The checkpoint, the end, and a binary search among eight batches.
  expect(await cost(young)).toEqual({ GetItem: 1, Query: 5, units: 6 });
  expect(await cost(cursor)).toEqual({ GetItem: 1, Query: 4, units: 5 });
  close();
});

it("[cursor.unread] where everything before the place has expired, one read tells that nothing is lost", async () => {
  const { publish, pass, cost, close, ledger } = await open();
  for (let n = 0; n < 8; n++) await publish(THERE);
  await ledger.sweep();
  pass(48 * HOUR_MS);
  await ledger.sweep();
  await publish(HERE);
  pass(HOUR_MS / 4);
  const cursor = await publish(HERE);
  // The checkpoint, the end, and the batch before the log start.
  expect(await cost(cursor)).toEqual({ GetItem: 1, Query: 2, units: 3 });
  pass(HOUR_MS / 4);
  await publish(THERE);
  expect(await cost(cursor)).toEqual({ GetItem: 1, Query: 3, units: 4 });
  close();
});
