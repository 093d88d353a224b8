import { describe, expect, it } from "vitest";
import type { Crowding } from "../model/crowding.ts";
import { countCrowding, isDue, planGrowth } from "./growth-plan.ts";
import type { SafePoint } from "./section.ts";

const MINUTE_MS = 60_000;

/** Batches of one event each in a minute. `waited` says how many of them waited. */
function minute(at: number, batches: number, waited: number, from = 1): SafePoint[] {
  return Array.from({ length: batches }, (_, n) => ({
    to: from + n + 1,
    events: from + n,
    bytes: 0,
    publishedAt: at * MINUTE_MS + Math.floor((n * MINUTE_MS) / batches),
    keys: 1,
    ...(n < waited ? { waited: true as const } : {}),
  }));
}

const count = (known: Crowding | undefined, safePoints: SafePoint[]) =>
  countCrowding(known, { safePoints }, { after: 0, to: Number.MAX_SAFE_INTEGER });

describe("the crowding of a partition", () => {
  it("counts crowded minutes in a row, and begins again after any other minute", () => {
    let crowding = count(undefined, minute(100, 1_500, 750));
    expect(crowding).toEqual([100, 1_500, 750, 0]);
    crowding = count(crowding, minute(101, 1_500, 750));
    expect(crowding).toEqual([101, 1_500, 750, 1]);
    expect(count(crowding, minute(102, 1, 0))).toEqual([102, 1, 0, 2]);
    expect(count([102, 1_499, 1_499, 2], minute(103, 1, 0))[3]).toBe(0);
    expect(count([102, 1_500, 749, 2], minute(103, 1, 0))[3]).toBe(0);
    // Nothing was published for a minute.
    expect(count([102, 1_500, 1_500, 2], minute(104, 1, 0))[3]).toBe(0);
  });

  it("is the same however the log is divided into sections", () => {
    const places = [...minute(100, 1_600, 900), ...minute(101, 1_700, 900, 1_601)];
    const whole = count(undefined, places);
    for (const cut of [1, 800, 1_601, 2_000]) {
      const first = countCrowding(undefined, { safePoints: places }, { after: 0, to: cut });
      const second = countCrowding(first, { safePoints: places }, { after: cut, to: 9_999 });
      expect(second).toEqual(whole);
    }
  });

  it("is due once for each minute after the third", () => {
    expect(isDue([102, 1, 1, 2], [103, 1, 1, 3])).toBe(true);
    expect(isDue([103, 1, 1, 3], [103, 9, 9, 3])).toBe(false);
    expect(isDue([103, 1, 1, 3], [104, 1, 1, 4])).toBe(true);
    expect(isDue(undefined, [103, 1, 1, 2])).toBe(false);
  });
});

describe("the growth of a stream", () => {
  const NOW = 104 * MINUTE_MS;
  const crowded: Crowding = [103, 5, 5, 3];
  const calm: Crowding = [103, 5, 5, 2];
  const stream = (partitions: number, first = 0) => ({
    partitions,
    auto: true as const,
    ...(first === 0 ? {} : { epochs: [{ first, partitions, from: 1, at: 0 }] }),
  });

  it("goes from 1 to 64 partitions in three steps, and ends there", () => {
    const sizes = [1];
    for (let first = 0; ; ) {
      const size = sizes.at(-1) ?? 1;
      const next = planGrowth(stream(size, first), Array(size).fill(crowded), NOW);
      if (next === undefined) break;
      first += size;
      sizes.push(next);
    }
    expect(sizes).toEqual([1, 4, 16, 64]);
  });

  it("stays within the partitions that a stream may ever have", () => {
    const full = (size: number, first: number) =>
      planGrowth(stream(size, first), Array(size).fill(crowded), NOW);
    expect(full(8, 64)).toBe(24);
    expect(full(16, 60)).toBeUndefined();
  });

  it("needs half of the partitions to be crowded now", () => {
    const plan = (...crowdings: (Crowding | undefined)[]) => planGrowth(stream(4), crowdings, NOW);
    expect(plan(crowded, crowded, calm, undefined)).toBe(16);
    expect(plan(crowded, calm, calm, undefined)).toBeUndefined();
    const old: Crowding = [90, 5, 5, 3];
    expect(plan(crowded, old, old, old)).toBeUndefined();
  });

  it("happens only where it is wanted, and not while the partitions change", () => {
    const crowdings = [crowded];
    expect(planGrowth({ partitions: 1 }, crowdings, NOW)).toBeUndefined();
    expect(planGrowth({ ...stream(1), growing: 2 }, crowdings, NOW)).toBeUndefined();
    expect(planGrowth(stream(1), crowdings, NOW)).toBe(4);
  });
});
