import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planLeases } from "./lease-plan.ts";

const LEASE_MS = 30_000;
type Owned = { partition: number; lease?: { token: number; owner?: string; until: number } };

const plan = (
  self: string,
  rows: readonly Owned[],
  alive: readonly string[],
  nowMs = 0,
  heardMs = nowMs,
) => {
  const leased = rows.map(({ partition, lease }) => ({
    partition,
    ...(lease === undefined ? {} : { lease: { owner: undefined, ...lease } }),
  }));
  const { keep, renew, take, giveUp } = planLeases(self, {
    rows: leased,
    alive,
    nowMs,
    heardMs,
    leaseMs: LEASE_MS,
  });
  const numbers = (of: readonly { partition: number }[]) => of.map(({ partition }) => partition);
  return {
    keep: numbers(keep),
    renew: numbers(renew),
    take: numbers(take),
    giveUp: numbers(giveUp),
  };
};

const owned = (partition: number, owner: string | undefined, until = LEASE_MS, token = 1) => ({
  partition,
  lease: { token, until, ...(owner === undefined ? {} : { owner }) },
});

describe("a lease plan", () => {
  it("[lease.share] a single worker takes everything", () => {
    const rows = Array.from({ length: 5 }, (_, partition) => ({ partition }));
    expect(plan("a", rows, []).take.sort()).toEqual([0, 1, 2, 3, 4]);
    expect(plan("a", rows, ["a"]).take.sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it("[lease.share] a worker gives up what exceeds its fair share, and no more", () => {
    const rows = [0, 1, 2, 3, 4].map((partition) => owned(partition, "a"));
    expect(plan("a", rows, ["a", "b"])).toMatchObject({ keep: [0, 1, 2], giveUp: [3, 4] });
    expect(plan("b", rows, ["a", "b"])).toMatchObject({ take: [], giveUp: [] });
  });

  it("[lease.share] one partition stays with its holder", () => {
    const rows = [owned(0, "z")];
    expect(plan("z", rows, ["a", "b", "z"])).toMatchObject({ keep: [0], giveUp: [] });
    expect(plan("a", rows, ["a", "b", "z"]).take).toEqual([]);
  });

  it("[lease.fencing] a worker takes leases that have expired or were given up, and no others", () => {
    const rows = [owned(0, "b", 10), owned(1, undefined), owned(2, "b", 20)];
    expect(plan("a", rows, ["a"], 9).take).toEqual([1]);
    // The worker gets one of the two free partitions. The other is for `b`, which is still alive.
    expect([0, 1]).toEqual(expect.arrayContaining(plan("a", rows, ["a"], 10).take));
    expect(plan("a", rows, ["a"], 10).take).toHaveLength(1);
    expect(plan("a", rows, ["a"], 20).take.sort()).toEqual([0, 1, 2]);
  });

  it("[lease.share] a worker renews its own leases in good time, even expired ones", () => {
    const rows = [owned(0, "a", 30_000), owned(1, "a", 19_000), owned(2, "a", -1)];
    expect(plan("a", rows, ["a"])).toMatchObject({ keep: [0, 1, 2], renew: [1, 2], take: [] });
  });

  it("[lease.standby] a lease lasts from the last sign of life, however long a poll waits", () => {
    const rows = [owned(0, "a", 29_000), owned(1, undefined)];
    expect(plan("a", rows, ["a"], 20_000, 20_000)).toMatchObject({ renew: [0], take: [1] });
    expect(plan("a", rows, ["a"], 20_000, 0)).toMatchObject({ renew: [], take: [1] });
    expect(plan("a", rows, ["a"], LEASE_MS, 0)).toMatchObject({ renew: [], take: [] });
  });

  it("[lease.share] an expired lease of its own counts for a worker, which does not take it again", () => {
    const rows = [owned(0, "z", 5), owned(1, "z"), owned(2, "a")];
    expect(plan("z", rows, ["a"], 10)).toMatchObject({ keep: [0, 1], giveUp: [] });
    expect(plan("b", [owned(0, "b", 5), { partition: 1 }], [], 10).take).toEqual([1]);
  });

  it("[lease.share] the remainder goes to workers with the most partitions, then by name", () => {
    const free = [{ partition: 3 }, { partition: 4 }];
    const rows = [owned(0, "a"), owned(1, "z"), owned(2, "z"), ...free];
    expect(plan("a", rows, ["z"]).take).toHaveLength(1);
    expect(plan("z", rows, ["a"]).take).toHaveLength(1);

    const none = [0, 1, 2].map((partition) => ({ partition }));
    expect(plan("a", none, ["b"]).take).toHaveLength(2);
    expect(plan("b", none, ["a"]).take).toHaveLength(1);
  });

  it("a worker renews a lease once less than two thirds of it remain", () => {
    expect(plan("a", [owned(0, "a", 20_000), owned(1, "a", 19_999)], []).renew).toEqual([1]);
  });

  it("workers that start at the same moment begin with different partitions", () => {
    const rows = Array.from({ length: 64 }, (_, partition) => ({ partition }));
    const firsts = ["w1", "w2", "w3", "w4"].map((self) => plan(self, rows, []).take[0]);
    expect(new Set(firsts).size).toBe(4);
  });

  it("[lease.share] the shares settle with everything held and no worker above its fair share", () => {
    const anyWorld = fc.record({
      partitions: fc.integer({ min: 1, max: 20 }),
      workers: fc.integer({ min: 1, max: 9 }),
      owners: fc.array(fc.option(fc.integer({ min: 0, max: 11 })), {
        minLength: 20,
        maxLength: 20,
      }),
      order: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
    });
    return fc.assert(
      fc.property(anyWorld, ({ partitions, workers, owners, order }) => {
        const names = Array.from({ length: workers }, (_, n) => `w${n}`);
        let rows: Owned[] = Array.from({ length: partitions }, (_, partition) => {
          const by = owners[partition] ?? null;
          // An owner that is not a worker is dead, so its leases have expired.
          if (by === null) return { partition };
          return owned(partition, `w${by}`, by < workers ? LEASE_MS : 0);
        });
        let moves = 0;
        for (let round = 0; round < 4; round++) {
          const turns = names.toSorted(
            (a, b) => (order[+a.slice(1)] ?? 0) - (order[+b.slice(1)] ?? 0),
          );
          moves = 0;
          for (const self of turns) {
            const { take, giveUp } = plan(self, rows, names, 1);
            moves += take.length + giveUp.length;
            rows = rows.map((row) => {
              if (take.includes(row.partition)) return owned(row.partition, self);
              return giveUp.includes(row.partition) ? owned(row.partition, undefined) : row;
            });
          }
        }
        expect(moves).toBe(0);
        const held = names.map((name) => rows.filter(({ lease }) => lease?.owner === name).length);
        expect(held.reduce((sum, count) => sum + count)).toBe(partitions);
        expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
