import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../../test/simulation/dynamodb/seeded-random.ts";
import type { Life } from "../../model/names.ts";
import { afterLoss, afterWin, type Contention, createContention, pauseMs } from "./contention.ts";

const random = seededRandom(1);
const longestPause = (contention: Contention | undefined, nowMs: number, waitedMs = 0): number =>
  Math.max(
    ...Array.from({ length: 500 }, () =>
      pauseMs(contention, { nowMs, putMs: 6 }, waitedMs, random),
    ),
  );

const losses = (count: number, nowMs = 0): Contention | undefined => {
  let contention: Contention | undefined;
  for (let n = 0; n < count; n++) contention = afterLoss(contention, { nowMs, putMs: 6 });
  return contention;
};

describe("contention", () => {
  it("there is no back-off before a lost race", () => {
    expect(longestPause(undefined, 0)).toBe(0);
    expect(afterWin(undefined, { nowMs: 0, putMs: 6 })).toBeUndefined();
  });

  it("the bound grows with every lost race, up to a second", () => {
    expect(longestPause(losses(1), 0)).toBeLessThan(10);
    expect(longestPause(losses(3), 0)).toBeGreaterThan(15);
    expect(longestPause(losses(50), 0)).toBeLessThanOrEqual(1_000);
  });

  it("a win shrinks a large bound more than a small one", () => {
    const [large, small] = [losses(10), losses(1)];
    const kept = (contention: Contention | undefined) =>
      (afterWin(contention, { nowMs: 0, putMs: 6 })?.boundMs ?? 0) / (contention?.boundMs ?? 1);
    expect(kept(large)).toBeLessThan(0.85);
    expect(kept(small)).toBeGreaterThan(0.98);
  });

  it("contention is forgotten when no race is lost any more", () => {
    const contention = losses(10);
    expect(longestPause(contention, 2_000)).toBeLessThan((contention?.boundMs ?? 0) / 2);
    expect(longestPause(contention, 20_000)).toBe(0);
    expect(afterWin(contention, { nowMs: 20_000, putMs: 6 })).toBeUndefined();
  });

  it("the request that has waited longest backs off least", () => {
    const contention = losses(8);
    expect(longestPause(contention, 0, 400)).toBeLessThan(longestPause(contention, 0) * 0.6);
    expect(longestPause(contention, 0, 4_000)).toBeLessThan(longestPause(contention, 0) * 0.11);
  });
});

it("a lost race delays further appends to its partition, and no others", () => {
  const clock = { now: () => 0, monotonic: () => 0, sleep: async () => {} };
  const contention = createContention({ clock, random });
  const [life, other] = ["orders#1" as Life, "others#1" as Life];
  const longest = (of: Life, partitions: readonly number[]) =>
    Math.max(...Array.from({ length: 50 }, () => contention.backOffMs(of, partitions, 0)));
  expect(longest(life, [0])).toBe(0);
  contention.recordLoss(life, 0);
  expect(longest(life, [0])).toBeGreaterThan(0);
  expect(longest(life, [1, 0])).toBeGreaterThan(0);
  expect([longest(life, [1]), longest(other, [0])]).toEqual([0, 0]);
});
