import { randomBytes, randomUUID } from "node:crypto";
import { QueryCommand } from "@aws-sdk/client-dynamodb";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultTenant, type RawJson } from "../../packages/core/src/index.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { meterCapacity } from "../support/capacity.ts";
import { createTestTable } from "../support/test-table.ts";

let place: Awaited<ReturnType<typeof createTestTable>>;

beforeAll(async () => {
  place = await createTestTable();
  return () => place.client.destroy();
});

/** A separate process, with its own client and empty caches. */
function open() {
  const opened = openLedger({
    endpoint: place.endpoint,
    tableName: place.tableName,
    region: LOCAL_REGION,
    adminKey: "test",
    cursorKey: "test",
  });
  return { ...opened, meter: meterCapacity(opened.client) };
}

/**
 * Creates a stream with batches of this many events, each of which takes about 100 bytes when
 * packed.
 */
async function createStream(batches: number, events: number): Promise<string> {
  const { ledger, close } = open();
  const name = `s-${randomUUID()}`;
  const rest = { description: "", retentionHours: 24, archiveDays: null };
  await ledger.createStream(defaultTenant, { name, partitions: 1, compaction: "key", ...rest });
  for (let batch = 0; batch < batches; batch++) {
    const some = Array.from({ length: events }, (_, n) => ({
      attributes: { key: `k${n}` },
      data: JSON.stringify(randomBytes(60).toString("base64")) as RawJson,
    }));
    await ledger.publish(defaultTenant, name, some);
  }
  close();
  return name;
}

/** Returns the capacity units that reading the first batch of a stream consumes. */
async function unitsOfBatch(stream: string): Promise<number> {
  const { ledger, close } = open();
  const { life } = await ledger.getStream(defaultTenant, stream);
  close();
  const [pk] = [`STREAM#${stream}#${life}#P0`];
  const { ConsumedCapacity: used, Count } = await place.client.send(
    new QueryCommand({
      TableName: place.tableName,
      KeyConditionExpression: "pk = :pk AND sk >= :sk",
      ExpressionAttributeValues: { ":pk": { S: pk }, ":sk": { S: "SEQ#" } },
      Limit: 1,
      ConsistentRead: true,
      ReturnConsumedCapacity: "TOTAL",
    }),
  );
  expect(Count).toBe(1);
  return used?.CapacityUnits ?? 0;
}

/** Browses from the start to the end and returns the read units and queries of each page. */
async function readAll(of: ReturnType<typeof open>, stream: string, limit: number) {
  const pages: { read: number; queries: number; events: number }[] = [];
  let from = "earliest";
  for (let caughtUp = false; !caughtUp; ) {
    let events = 0;
    const { read, requests } = await of.meter.measure(async () => {
      const page = await of.ledger.browse(defaultTenant, stream, { from, limit });
      ({ caughtUp } = page);
      events = page.events.length;
      from = page.cursor;
    });
    pages.push({ read, queries: requests.Query ?? 0, events });
  }
  return pages;
}

describe("a page of a large batch", () => {
  it("reads the batches that it delivers, and not those after them", async () => {
    const stream = await createStream(4, 1_000);
    const one = await unitsOfBatch(stream);
    expect(one).toBeGreaterThan(10);
    const reader = open();
    const [cold, ...warm] = await readAll(reader, stream, 100);
    reader.close();
    // A reader without any knowledge asks for two rows, and looks for the end once.
    expect(cold?.read).toBeLessThanOrEqual(3 * one + 4);
    // The lag of a page that ends with a batch needs the time of the next batch.
    const isLast = (page: number) => (page + 2) % 10 === 0;
    for (const [page, { read }] of warm.entries()) {
      expect(read, `page ${page + 2}`).toBeLessThanOrEqual((isLast(page) ? 2 : 1) * one + 3);
    }
    expect(warm.length).toBeGreaterThanOrEqual(39);
  });
});

describe("a page of small batches", () => {
  it("is one query, and two for its lag, once the reader knows them", async () => {
    const stream = await createStream(90, 1);
    const reader = open();
    const [, ...warm] = await readAll(reader, stream, 30);
    reader.close();
    for (const { queries, read } of warm) {
      expect(queries).toBeLessThanOrEqual(3);
      expect(read).toBeLessThanOrEqual(6);
    }
    expect(warm[0]?.events).toBe(30);
  });
});
