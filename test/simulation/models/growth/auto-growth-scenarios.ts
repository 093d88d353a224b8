import assert from "node:assert/strict";
import { entryOf, packEvents } from "../../../../packages/core/src/log/codec.ts";
import { defaultTenant, lifeOf, scopeName } from "../../../../packages/core/src/model/names.ts";
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
const data = "1" as never;

type Stage = Awaited<ReturnType<typeof setStage>>;

/** Creates a stream on a simulated table of its own. */
async function setStage(partitions: number | "auto") {
  const table = createManyTable();
  const ledger = table.open();
  const rows = createTable(table.connection);
  await ledger.createStream(defaultTenant, { ...SETTINGS, partitions });
  const load = async () => {
    const row = await rows.streams.load(scoped);
    assert(row !== undefined);
    return row;
  };
  const life = lifeOf(scoped, (await load()).uid);
  const next = new Map<number, number>();

  /**
   * Lets a minute pass in which writers append to some partitions, as writers on Lambda that share
   * nothing do. With `waited` each of them had to wait for another one. Then compaction runs.
   */
  async function aMinute(among: readonly number[], waited: boolean): Promise<void> {
    // Nothing can be written after the end of a partition.
    assert.equal((await load()).growing, undefined);
    const fromMs = table.nowMs();
    for (const partition of among) {
      const packed = packEvents([entryOf({ attributes: { key: `k${partition}` }, data })]);
      for (let n = 0; n < BATCHES; n++) {
        const first = next.get(partition) ?? 1;
        next.set(partition, first + 1);
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

  return {
    table,
    ledger,
    rows,
    life,
    load,
    aMinute,
    async minutes(count: number, among: readonly number[], waited: boolean): Promise<void> {
      for (let minute = 0; minute < count; minute++) await aMinute(among, waited);
    },
    /** Asserts what the view of the stream says. */
    async shows(members: object): Promise<void> {
      const view = await ledger.getStream(defaultTenant, NAME);
      const { partitions, autoPartitions, nextPartitions, crowdedMinutes } = view;
      const shown = { partitions, autoPartitions, nextPartitions, crowdedMinutes };
      assert.deepEqual({ ...shown, ...members }, shown);
    },
  };
}

const on = (partitions: number | "auto", story: (stage: Stage) => Promise<void>) => async () =>
  story(await setStage(partitions));

/** One scenario for every rule of growth by itself. Each throws when the rule is broken. */
export const scenarios: Readonly<Record<string, () => Promise<void>>> = {
  "a stream grows after three crowded minutes, and the next publish completes the change": on(
    "auto",
    async ({ table, minutes, shows }) => {
      await shows({ partitions: 1, autoPartitions: true, crowdedMinutes: 0 });
      await minutes(3, [0], true);
      await shows({ partitions: 1, crowdedMinutes: 2, nextPartitions: undefined });
      await minutes(1, [0], true);
      await shows({ partitions: 1, crowdedMinutes: 3, nextPartitions: 4 });
      await table.open().publish(defaultTenant, NAME, [{ attributes: { key: "k" }, data }]);
      await shows({ partitions: 4, autoPartitions: true, nextPartitions: undefined });
    },
  ),

  "a sweep completes the change where nothing is published": on(
    "auto",
    async ({ table, minutes, shows }) => {
      await minutes(4, [0], true);
      await table.open().sweep({ budgetMs: 60_000 });
      await shows({ partitions: 4, nextPartitions: undefined });
    },
  ),

  "a stream whose writers do not wait keeps its partitions": on(
    "auto",
    async ({ minutes, shows }) => {
      await minutes(4, [0], false);
      await shows({ partitions: 1, nextPartitions: undefined, crowdedMinutes: 0 });
    },
  ),

  "a stream grows if half of its partitions are crowded, and not for one of four": on(
    4,
    async ({ ledger, minutes, shows }) => {
      await ledger.patchStream(defaultTenant, NAME, { partitions: "auto" });
      await minutes(4, [2], true);
      await shows({ partitions: 4, nextPartitions: undefined, crowdedMinutes: 3 });
      await minutes(4, [1, 2], true);
      await shows({ partitions: 4, nextPartitions: 16 });
    },
  ),

  "a number of partitions ends that a stream grows": on(
    "auto",
    async ({ ledger, rows, load, minutes, shows }) => {
      await minutes(3, [0], true);
      const before = await load();
      await ledger.patchStream(defaultTenant, NAME, { partitions: 1 });
      await minutes(1, [0], true);
      await shows({ autoPartitions: undefined, nextPartitions: undefined });
      // A compactor that read the row before the change cannot begin to grow any more.
      assert.equal(await rows.streams.turnTo(before, 4, { ifAuto: true }), undefined);
    },
  ),

  "a stream that never wanted it keeps no count": on(1, async ({ rows, life, minutes, shows }) => {
    await minutes(4, [0], true);
    assert.equal((await rows.checkpoints.load(life, 0))?.crowding, undefined);
    await shows({ nextPartitions: undefined, crowdedMinutes: undefined });
  }),
};
