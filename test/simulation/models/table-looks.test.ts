import { expect, it } from "vitest";
import { createNewEvents } from "../../../packages/core/src/log/read/new-events.ts";
import {
  defaultTenant,
  type Life,
  scopeName,
  type Tenant,
} from "../../../packages/core/src/model/names.ts";
import { allStreams } from "../../../packages/core/src/stream/all-streams.ts";
import { createTable } from "../../../packages/core/src/table/table.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";

/** Opens a table with a clock that the test moves. */
function openTable() {
  const time = { ms: 0 };
  const clock = { now: () => time.ms, monotonic: () => time.ms, sleep: async () => {} };
  const store = createFakeDynamo({ tableName: "rows", seed: 1 });
  const client = store.client() as never;
  const table = createTable({ client, table: "rows", clock, random: seededRandom(1) });
  return { table, clock, time };
}

it("[poll.wait] one look for new events serves other polls for half a second", async () => {
  const { table, clock, time } = openTable();
  const hasNewEvents = createNewEvents({ table, clock });
  const life = "orders#1" as Life;
  const look = () => hasNewEvents(life, [{ batch: 1, next: 1 }]);
  expect(await look()).toBe(false);
  const batch = {
    ...{ first: 1, count: 1, batchId: new Uint8Array(16), publishedAt: 0 },
    ...{ rawBytes: 1, payload: new Uint8Array(1) },
  };
  const batches = [{ partition: 0, batch }];
  await table.append.put({ life, batches, receipts: [], token: "" });
  time.ms = 499;
  expect(await look()).toBe(false);
  time.ms = 500;
  expect(await look()).toBe(true);
});

it("a sweep finds the streams of all tenants, also of more than one page of them", async () => {
  const { table } = openTable();
  const tenants = [defaultTenant];
  for (let n = 0; n < 150; n++) {
    const name = `t${n}` as Tenant;
    await table.tenants.create({ name, createdAt: n });
    tenants.push(name);
  }
  const made = [0, 70, 150].flatMap((at) => tenants[at] ?? []);
  for (const tenant of made) {
    const name = scopeName(tenant, "orders");
    const of = { description: "", partitions: 1, retentionHours: 1, archiveDays: null } as const;
    await table.lifecycle.createStream(
      tenant,
      `${name}#1` as Life,
      { ...of, name, uid: "1", compaction: "key", createdAt: 0, status: "live" },
      {
        ...{ next: 1, floor: 1, checkedAt: 0, compactedThrough: 0 },
        ...{ floorAt: 0, events: 0, bytes: 0 },
      },
    );
  }
  const found: string[] = [];
  for await (const { name } of allStreams(table)) {
    found.push(name);
    if (found.length > made.length) break;
  }
  expect(found.sort()).toEqual(made.map((tenant) => scopeName(tenant, "orders")).sort());
});
