import assert from "node:assert/strict";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { partitionOf } from "../../../../packages/core/src/model/partition.ts";
import {
  codeOf,
  DAY_MS,
  HOUR_MS,
  NAME,
  openArchive,
  type WorldOptions,
} from "../archive/archive-world.ts";
import type { Scenario } from "../subscription/scenario.ts";

const OF = [defaultTenant, NAME] as const;

/** Two keys in different partitions, and one more in the partition of the second. */
const KEYS = ["a", "b", "d"] as const;

/** The scenarios in which a cursor has only a time in a partition. */
export const placesScenarios: readonly Scenario[] = [
  {
    name: "[cursor.unread] a cursor of a publish is refused when the log has lost what came after it",
    play: () => lostAfter({ archiveDays: null }, 2),
  },
  {
    name: "[cursor.unread] it is refused too when nothing tells what is lost",
    play: () => lostAfter({ archiveDays: null }, 45),
  },
  {
    name: "[cursor.unread] it is refused too when the days of the archive are over",
    play: () => lostAfter({ archiveDays: 2 }, 14),
  },
  {
    name: "[cursor.unread] it is refused too when a repair of the numbering gave up what came after",
    play: lostByRepair,
  },
  {
    name: "[cursor.unread] it reads on where only earlier events are lost",
    play: async () => {
      for (const days of [2, 20, 45, 200]) await lostBefore({ archiveDays: null }, days);
      for (const days of [2, 8, 14]) await lostBefore({ archiveDays: 2 }, days);
    },
  },
  {
    name: "[cursor.unread] [difference.exact] a difference has everything that is lost",
    play: async () => {
      for (const days of [2, 45]) await changed(days);
    },
  },
  {
    name: "[cursor.unread] it reads on in the archive",
    play: inTheArchive,
  },
];

async function open(options: WorldOptions) {
  const opened = await openArchive({ partitions: 2, retentionHours: 1, ...options });
  const { ledger, pass } = opened;
  assert.deepEqual(
    KEYS.map((key) => partitionOf(key, 2)),
    [1, 0, 0],
  );
  const publish = async (key: (typeof KEYS)[number], data: number) => {
    const event = { attributes: { key }, data: `${data}` as never };
    return (await ledger.publish(...OF, [event])).cursor;
  };
  const read = async (from: string) => {
    const { events } = await ledger.browse(...OF, { from, limit: 100 });
    return events.map(({ data }) => Number(data)).toSorted();
  };
  const days = (count: number) => pass(count * DAY_MS, DAY_MS);
  return { ...opened, publish, read, days };
}

async function lostAfter(options: WorldOptions, daysLater: number): Promise<void> {
  for (const compaction of ["key", "none"] as const) {
    const { publish, read, days, pass } = await open({ ...options, compaction });
    await publish("b", 1);
    await pass(HOUR_MS);
    const cursor = await publish("a", 2);
    await pass(HOUR_MS / 2);
    await publish("b", 3);
    assert.deepEqual(await read(cursor), [3]);
    await days(daysLater);
    await publish("b", 4);
    assert.equal(await codeOf(read(cursor)), "retention-passed");
  }
}

/** No process looked for a month. The rows are still there, and the log start is far above them. */
async function lostByRepair(): Promise<void> {
  const { ledger, world, publish } = await open({ archiveDays: null });
  const read = async () => {
    const { events } = await ledger.browse(...OF, { from: cursor, key: "b", limit: 100 });
    return events.map(({ data }) => Number(data));
  };
  world.nowMs += 6 * DAY_MS;
  const cursor = await publish("a", 1);
  world.nowMs += HOUR_MS / 2;
  await publish("b", 2);
  assert.deepEqual(await read(), [2]);
  world.nowMs += 25 * DAY_MS;
  while (!(await ledger.repairNumbering(...OF)).done);
  assert.equal(await codeOf(read()), "retention-passed");
}

/** The partition has had no event for days when the cursor is made. */
async function lostBefore(options: WorldOptions, daysBefore: number): Promise<void> {
  for (const compaction of ["key", "none"] as const) {
    const { publish, read, days } = await open({ ...options, compaction });
    await publish("b", 1);
    await days(daysBefore);
    const cursor = await publish("a", 2);
    assert.deepEqual(await read(cursor), []);
    await publish("b", 3);
    assert.deepEqual(await read(cursor), [3]);
  }
}

async function inTheArchive(): Promise<void> {
  const { publish, read, days, rows } = await open({ archiveDays: 3_650 });
  await publish("b", 1);
  await days(1);
  const cursor = await publish("a", 2);
  await publish("b", 3);
  await days(60);
  assert.deepEqual(rows("SEQ#"), []);
  await publish("b", 4);
  assert.deepEqual(await read(cursor), [3, 4]);
}

async function changed(daysLater: number): Promise<void> {
  const { ledger, publish, days } = await open({ archiveDays: null });
  await publish("b", 1);
  await days(1);
  const cursor = await publish("a", 2);
  await publish("b", 3);
  await publish("d", 4);
  await days(daysLater);
  const { items } = await ledger.listCompacted(...OF, { limit: 100, since: cursor });
  assert.deepEqual(items.map(({ data }) => Number(data)).toSorted(), [3, 4]);
}
