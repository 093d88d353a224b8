import { describe, expect, it } from "vitest";
import { compactPartition } from "../../../packages/core/src/compaction/compact.ts";
import { moveFloor } from "../../../packages/core/src/compaction/floor.ts";
import { repairNumbering } from "../../../packages/core/src/compaction/repair.ts";
import { systemRandom } from "../../../packages/core/src/kernel/random.ts";
import { entryOf, packEvents } from "../../../packages/core/src/log/codec.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import { bucketOf } from "../../../packages/core/src/model/partition.ts";
import type { Batch } from "../../../packages/core/src/table/batch.ts";
import type { Checkpoint } from "../../../packages/core/src/table/checkpoint.entity.ts";
import { LIFE, openTable, stream } from "./guarded-rows.ts";

/** These tests check what compaction and its repair write in one partition, and when nothing. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.UTC(2026, 0, 1);
const clock = { now: () => NOW_MS, monotonic: () => NOW_MS, sleep: async () => {} };
const began = { wallMs: NOW_MS, monotonicMs: NOW_MS };

const RECENT: Checkpoint = {
  ...{ next: 1, floor: 1, events: 0, bytes: 0 },
  ...{ checkedAt: NOW_MS, compactedThrough: NOW_MS, floorAt: NOW_MS },
};

/** Returns a batch whose events have these keys and these data, published this long ago. */
const batchOf = (first: number, keys: readonly string[], agoMs = 0, data = "1"): Batch => {
  const entries = keys.map((key) => entryOf({ attributes: { key }, data: data as never }));
  const publishedAt = NOW_MS - agoMs;
  const expiresAt = (publishedAt + HOUR_MS + 30 * DAY_MS) / 1_000;
  const packed = packEvents(entries);
  const batchId = new Uint8Array(16).fill(first);
  return { first, count: keys.length, batchId, publishedAt, expiresAt, ...packed };
};

const SEAL: Omit<Batch, "first"> = {
  ...{ count: 0, batchId: new Uint8Array(16), publishedAt: NOW_MS, kind: "seal" },
  ...{ rawBytes: 0, payload: new Uint8Array() },
};

/** Opens a partition with this checkpoint and these batches. */
async function openPartition(checkpoint: Partial<Checkpoint>, batches: readonly Batch[] = []) {
  const { table, store } = openTable();
  await table.lifecycle.createStream(defaultTenant, LIFE, stream("1"), {
    ...RECENT,
    ...checkpoint,
  });
  const append = async (batch: Batch) => {
    const request = { life: LIFE, batches: [{ partition: 0, batch }], receipts: [], token: "" };
    expect((await table.append.put(request)).kind).toBe("written");
  };
  for (const batch of batches) await append(batch);
  const writes = () => store.tally.get("sent.update") + store.tally.get("sent.put");
  const before = writes();
  return {
    deps: { table, clock, random: systemRandom },
    append,
    writes: () => writes() - before,
    load: () => table.checkpoints.load(LIFE, 0),
    keys: () => store.items().flatMap(({ sk }) => /^KEY#(.*)/.exec(String(sk))?.slice(1) ?? []),
  };
}

const of = { life: LIFE, compaction: "key", retentionHours: 1, partitions: 1 } as const;

describe("compaction of a partition that is at its end", () => {
  it.each<[string, Partial<Checkpoint>, number]>([
    ["writes nothing while everything is recent", {}, 0],
    ["notes an end that was seen long ago", { checkedAt: NOW_MS - 7 * HOUR_MS }, 1],
    ["notes that all is compacted", { compactedThrough: NOW_MS - 7 * HOUR_MS }, 1],
    ["takes back its failures", { failures: 2 }, 1],
  ])("%s", async (_, checkpoint, writes) => {
    const partition = await openPartition(checkpoint);
    const found = await compactPartition(partition.deps, of, 0, { began, budgetMs: 1_000 });
    expect(found).toMatchObject({ done: true, remaining: 0, keys: 0 });
    expect(partition.writes()).toBe(writes);
    expect(await partition.load()).toMatchObject({ checkedAt: NOW_MS, compactedThrough: NOW_MS });
  });
});

describe("[retention.passed] the floor", () => {
  const old = [batchOf(1, ["a"], 10 * DAY_MS), batchOf(2, ["b"], 100)];

  it.each<[string, Partial<Checkpoint>, readonly Batch[], [boolean, number, number]]>([
    ["moves to the first event that is kept", { next: 3 }, old, [true, 2, 3]],
    ["stays where its event is kept", { next: 3, floor: 2 }, old, [false, 2, 0]],
    [
      "is noted without a move after some hours",
      { next: 3, floor: 2, floorAt: NOW_MS - 7 * HOUR_MS },
      old,
      [false, 2, 1],
    ],
    ["moves where its own row has expired", { next: 3, floor: 1 }, old.slice(1), [true, 2, 2]],
    ["moves to the end where all rows have expired", { next: 3, floor: 1 }, [], [true, 3, 2]],
  ])("%s", async (_, checkpoint, batches, [moved, floor, writes]) => {
    const partition = await openPartition(checkpoint, batches);
    expect(await moveFloor(partition.deps, of, 0)).toBe(moved);
    expect((await partition.load())?.floor).toBe(floor);
    expect(partition.writes()).toBe(writes);
  });
});

describe("[publish.interlock] a repair of the numbering", () => {
  const LATE = { checkedAt: NOW_MS - 31 * DAY_MS };
  const rows = [batchOf(1, ["a", "b"]), batchOf(5, ["c"])];
  const seal = { ...SEAL, first: 6 };

  it("leaves a partition that was checked in time", async () => {
    const partition = await openPartition({}, rows);
    expect(await repairNumbering(partition.deps, of, 0)).toEqual({ kind: "sound" });
    expect([partition.keys(), partition.writes()]).toEqual([[], 0]);
  });

  it.each([
    ["compacts what is left, across its gaps", "key", rows, ["a", "b", "c"], 6],
    ["reads past a seal", "key", [...rows, seal], ["a", "b", "c"], 6],
    ["counts the events of a stream without compacted state", "none", rows, [], 6],
  ] as const)("%s", async (_, compaction, batches, keys, end) => {
    const partition = await openPartition(LATE, batches);
    const next = end + 100_000_000_000;
    const repaired = await repairNumbering(partition.deps, { ...of, compaction }, 0);
    expect(repaired).toEqual({ kind: "repaired", next });
    expect(partition.keys().sort()).toEqual(keys);
    const checkpoint = { next, floor: next, checkedAt: NOW_MS, events: 3 };
    expect(await partition.load()).toMatchObject(checkpoint);
  });

  it("[repair.progress] goes on where an earlier call was cut off, and repeats nothing", async () => {
    const many = Array.from({ length: 250 }, (_, n) => batchOf(2 * n + 1, [`k${n}`]));
    const partition = await openPartition(LATE, many);
    const repair = () => repairNumbering(partition.deps, of, 0, () => false);
    expect(await repair()).toEqual({ kind: "cut" });
    // The time of the last check stays, so publishing is refused until all is done.
    expect(await partition.load()).toMatchObject({ next: 200, events: 100, ...LATE, floor: 1 });
    expect(await repair()).toEqual({ kind: "cut" });
    const before = partition.writes();
    expect(await repair()).toEqual({ kind: "cut" });
    // 50 keys and the checkpoint.
    expect(partition.writes() - before).toBe(51);
    const repaired = await repair();
    expect(repaired).toEqual({ kind: "repaired", next: 500 + 100_000_000_000 });
    expect(partition.keys()).toHaveLength(250);
    expect(await partition.load()).toMatchObject({ events: 250, checkedAt: NOW_MS });
  });
});

describe("the rows of runs that meet", () => {
  const row = (sequence: number, rawBytes: number) => ({
    ...{ bucket: bucketOf("a"), key: "a", partition: 0, publishedAt: NOW_MS },
    ...{ sequence, rawBytes, payload: new Uint8Array([1]) },
  });

  it("a run that another one has overtaken adds no version to a row of a later checkpoint", async () => {
    const { deps } = await openPartition({});
    const { putIfNewer } = deps.table.compacted;
    expect(await putIfNewer(LIFE, [row(3, 30)], { next: 1 })).toEqual([0]);
    expect(await putIfNewer(LIFE, [row(5, 50)], { next: 4 })).toEqual([30]);
    const isCurrent = async () => false;
    expect(await putIfNewer(LIFE, [row(2, 20)], { next: 1, isCurrent })).toEqual([undefined]);
    expect(await putIfNewer(LIFE, [row(5, 50)], { next: 4 })).toEqual([30]);
  });

  it("a compaction whose checkpoint has moved on leaves the rows of later ones as they are", async () => {
    const batches = [10, 200, 3_000].map((length, at) =>
      batchOf(2 * at + 1, ["a", "a"], 0, `"${"x".repeat(length)}"`),
    );
    /** Returns the size of the version that the row of the last batch has replaced. */
    const sizeBelowLast = async ({ isOvertaken }: { isOvertaken: boolean }) => {
      const { deps, append } = await openPartition({}, batches.slice(0, 1));
      const { putIfNewer } = deps.table.compacted;
      const compact = (table = deps.table) =>
        compactPartition({ ...deps, table }, of, 0, { began, budgetMs: 1_000 });
      const overtake = async () => {
        for (const batch of batches.slice(1)) {
          await append(batch);
          await compact();
        }
      };
      let meetings = 0;
      const slow: typeof putIfNewer = async (...put) => {
        if (isOvertaken && meetings++ === 0) await overtake();
        return putIfNewer(...put);
      };
      await compact({ ...deps.table, compacted: { ...deps.table.compacted, putIfNewer: slow } });
      if (!isOvertaken) await overtake();
      return putIfNewer(LIFE, [row(6, 3_000)], { next: 5 });
    };
    expect(await sizeBelowLast({ isOvertaken: true })).toEqual(
      await sizeBelowLast({ isOvertaken: false }),
    );
  });

  it("a run whose checkpoint is still there adds its versions", async () => {
    const { deps } = await openPartition({});
    const { putIfNewer } = deps.table.compacted;
    expect(await putIfNewer(LIFE, [row(3, 30)], { next: 1 })).toEqual([0]);
    expect(await putIfNewer(LIFE, [row(2, 20)], { next: 1 })).toEqual([0]);
    expect(await putIfNewer(LIFE, [row(3, 30)], { next: 3 })).toEqual([20]);
  });
});
