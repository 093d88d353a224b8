import { beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../../../packages/core/src/index.ts";
import { entryOf, packEvents } from "../../../../packages/core/src/log/codec.ts";
import {
  defaultTenant,
  type Life,
  lifeOf,
  scopeName,
} from "../../../../packages/core/src/model/names.ts";
import { sendPut } from "../../../../packages/core/src/table/batch-wire.ts";
import { createTable } from "../../../../packages/core/src/table/table.ts";
import { createManyTable } from "../../../support/many-table.ts";

const NAME = "orders";
const scoped = scopeName(defaultTenant, NAME);
const MINUTE_MS = 60_000;
/** Thirty a second. */
const BATCHES = 1_800;
const SETTINGS = {
  ...{ name: NAME, description: "", compaction: "key" as const },
  ...{ retentionHours: 360, archiveDays: null },
};

let table: ReturnType<typeof createManyTable>;
let ledger: Ledger;
let life: Life;
let next: number[];

beforeEach(() => {
  table = createManyTable();
  ledger = table.open();
  next = [1];
});

async function create(partitions: number | "auto"): Promise<void> {
  await ledger.createStream(defaultTenant, { ...SETTINGS, partitions });
  const row = await createTable(table.connection).streams.load(scoped);
  life = lifeOf(scoped, row?.uid ?? "");
  next = Array.from({ length: row?.partitions ?? 0 }, () => 1);
}

/**
 * Lets a minute pass in which writers append to some partitions, as writers on Lambda that share
 * nothing do. With `waited` each of them had to wait for another one. Then compaction runs.
 */
async function aMinute(partitions: readonly number[], waited: boolean): Promise<void> {
  const data = "1" as never;
  const fromMs = table.nowMs();
  for (const partition of partitions) {
    const packed = packEvents([entryOf({ attributes: { key: `k${partition}` }, data })]);
    for (let n = 0; n < BATCHES; n++) {
      const first = next[partition] ?? 1;
      next[partition] = first + 1;
      await sendPut(table.connection, life, partition, {
        ...{ first, count: 1, batchId: new Uint8Array(16), ...packed },
        publishedAt: fromMs + Math.floor((n * MINUTE_MS) / BATCHES),
        expiresAt: Math.floor(fromMs / 1_000) + 360 * 3_600,
        ...(waited ? { ticket: first, free: 0 } : {}),
      });
    }
  }
  table.pass(MINUTE_MS);
  while (!(await ledger.compact(defaultTenant, NAME)).done);
}

const view = () => ledger.getStream(defaultTenant, NAME);

describe("a stream that gets partitions by itself", () => {
  it("[partitions.auto] grows after three crowded minutes, and the next publish completes the change", async () => {
    await create("auto");
    expect(await view()).toMatchObject({ partitions: 1, autoPartitions: true, crowdedMinutes: 0 });
    for (let minute = 0; minute < 3; minute++) await aMinute([0], true);
    expect(await view()).toMatchObject({ partitions: 1, crowdedMinutes: 2 });
    expect((await view()).nextPartitions).toBeUndefined();
    await aMinute([0], true);
    expect(await view()).toMatchObject({ partitions: 1, nextPartitions: 4, crowdedMinutes: 3 });
    await table
      .open()
      .publish(defaultTenant, NAME, [{ attributes: { key: "k" }, data: "1" as never }]);
    expect(await view()).toMatchObject({ partitions: 4, autoPartitions: true });
    expect((await view()).epochs).toHaveLength(2);
  });

  it("[partitions.auto] a sweep completes the change where nothing is published", async () => {
    await create("auto");
    for (let minute = 0; minute < 4; minute++) await aMinute([0], true);
    await table.open().sweep({ budgetMs: 60_000 });
    expect(await view()).toMatchObject({ partitions: 4 });
  });

  it("[partitions.auto] keeps its partitions while writers do not wait, or few partitions are crowded", async () => {
    await create("auto");
    for (let minute = 0; minute < 4; minute++) await aMinute([0], false);
    expect((await view()).nextPartitions).toBeUndefined();
    await ledger.deleteStream(defaultTenant, NAME);
    table.pass(10_000);
    await create(4);
    await ledger.patchStream(defaultTenant, NAME, { partitions: "auto" });
    for (let minute = 0; minute < 4; minute++) await aMinute([2], true);
    const { nextPartitions, partitions, crowdedMinutes } = await view();
    expect({ nextPartitions, partitions, crowdedMinutes }).toEqual({
      nextPartitions: undefined,
      partitions: 4,
      crowdedMinutes: 3,
    });
    for (let minute = 0; minute < 4; minute++) await aMinute([1, 2], true);
    expect(await view()).toMatchObject({ partitions: 4, nextPartitions: 16 });
  });

  it("[partitions.auto] a number of partitions ends that it grows", async () => {
    await create("auto");
    for (let minute = 0; minute < 3; minute++) await aMinute([0], true);
    const { streams } = createTable(table.connection);
    const before = await streams.load(scoped);
    const patched = await ledger.patchStream(defaultTenant, NAME, { partitions: 1 });
    expect(patched).not.toHaveProperty("autoPartitions");
    await aMinute([0], true);
    expect(await view()).not.toHaveProperty("crowdedMinutes");
    expect((await view()).nextPartitions).toBeUndefined();
    // A compactor that read the row before the change cannot begin to grow any more.
    if (before === undefined) throw new Error("there is no stream");
    expect(await streams.turnTo(before, 4, { ifAuto: true })).toBeUndefined();
  });

  it("[partitions.auto] a stream that never wanted it keeps no count", async () => {
    await create(1);
    for (let minute = 0; minute < 4; minute++) await aMinute([0], true);
    const checkpoint = await createTable(table.connection).checkpoints.load(life, 0);
    expect(checkpoint).not.toHaveProperty("crowding");
    expect((await view()).nextPartitions).toBeUndefined();
  });
});
