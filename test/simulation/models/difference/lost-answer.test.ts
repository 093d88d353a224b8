import { expect, it } from "vitest";
import { listChanges } from "../../../../packages/core/src/compaction/list-changes.ts";
import type { Life } from "../../../../packages/core/src/model/names.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { loadCoreOfLists } from "./core-of-lists.ts";
import { type Rows, tableOf } from "./memory-table.ts";

const { batchOf } = await loadCoreOfLists();
const NOW_MS = Date.UTC(2026, 0, 1);
const OF = { life: "orders#1" as Life, partition: 0 };

/** Returns a partition with so many events, all of them compacted. */
function rowsWith(count: number): Rows {
  const batches = Array.from({ length: count }, (_, at) => {
    const data = "1" as never;
    return batchOf([{ sequence: at + 1, key: `k${at}`, id: `${at}`, publishedAt: NOW_MS, data }]);
  });
  const times = { checkedAt: NOW_MS, compactedThrough: NOW_MS, floorAt: NOW_MS };
  return {
    batches,
    checkpoint: { next: count, floor: 1, events: 0, bytes: 0, ...times },
    list: undefined,
    chunks: new Map(),
    states: new Map(),
  };
}

it("[difference.exact] a list has all of its parts after the answer to an update was lost", async () => {
  const rows = rowsWith(3);
  const random = seededRandom("a lost answer");
  const clock = { now: () => NOW_MS, monotonic: () => 0, sleep: async () => {} };
  const table = tableOf(rows, async (request) => request());
  const save: typeof table.changes.save = async (...update) => {
    await table.changes.save(...update);
    // The answer is lost, and another process goes on with the list before the request is repeated.
    rows.checkpoint = { ...rows.checkpoint, next: 4 };
    await listChanges({ table, clock, random } as never, OF, { until: 4 });
    return table.changes.save(...update);
  };
  const lossy = { ...table, changes: { ...table.changes, save } };
  await listChanges({ table: lossy, clock, random } as never, OF, { until: 3 });
  const named = rows.list?.chunks.map(({ id }) => id) ?? [];
  expect(named).toHaveLength(2);
  expect(named.filter((id) => !rows.chunks.has(id))).toEqual([]);
});
