import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../../test/simulation/dynamodb/seeded-random.ts";
import { afterLoss, afterWin, pauseMs, type Rivalry } from "./contention.ts";

const random = seededRandom(1);
const longestPause = (rivalry: Rivalry | undefined, nowMs: number, waitedMs = 0): number =>
  Math.max(
    ...Array.from({ length: 500 }, () => pauseMs(rivalry, { nowMs, putMs: 6 }, waitedMs, random)),
  );

const losses = (count: number, nowMs = 0): Rivalry | undefined => {
  let rivalry: Rivalry | undefined;
  for (let n = 0; n < count; n++) rivalry = afterLoss(rivalry, { nowMs, putMs: 6 });
  return rivalry;
};

describe("rivalry", () => {
  it("lets nobody pause who has not lost", () => {
    expect(longestPause(undefined, 0)).toBe(0);
    expect(afterWin(undefined, { nowMs: 0, putMs: 6 })).toBeUndefined();
  });

  it("grows with every loss, up to a second", () => {
    expect(longestPause(losses(1), 0)).toBeLessThan(10);
    expect(longestPause(losses(3), 0)).toBeGreaterThan(15);
    expect(longestPause(losses(50), 0)).toBeLessThanOrEqual(1_000);
  });

  it("shrinks more for those who wait long than for those who win often", () => {
    const [large, small] = [losses(10), losses(1)];
    const kept = (rivalry: Rivalry | undefined) =>
      (afterWin(rivalry, { nowMs: 0, putMs: 6 })?.boundMs ?? 0) / (rivalry?.boundMs ?? 1);
    expect(kept(large)).toBeLessThan(0.85);
    expect(kept(small)).toBeGreaterThan(0.98);
  });

  it("is forgotten when nothing is lost any more", () => {
    const rivalry = losses(10);
    expect(longestPause(rivalry, 2_000)).toBeLessThan((rivalry?.boundMs ?? 0) / 2);
    expect(longestPause(rivalry, 20_000)).toBe(0);
    expect(afterWin(rivalry, { nowMs: 20_000, putMs: 6 })).toBeUndefined();
  });

  it("holds those back least who have waited longest", () => {
    const rivalry = losses(8);
    expect(longestPause(rivalry, 0, 400)).toBeLessThan(longestPause(rivalry, 0) * 0.6);
    expect(longestPause(rivalry, 0, 4_000)).toBeLessThan(longestPause(rivalry, 0) * 0.11);
  });
});
