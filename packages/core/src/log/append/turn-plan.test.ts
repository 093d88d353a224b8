import { describe, expect, it } from "vitest";
import { aheadOf, CROWDED_MS, isOverdue, isServing, pauseMs, servedWith } from "./turn-plan.ts";

describe("turns", () => {
  it("count those that come first", () => {
    expect(aheadOf(7, 6)).toBe(0);
    expect(aheadOf(7, 4)).toBe(2);
    expect(aheadOf(7, 9)).toBeLessThan(0);
  });

  it("come at once where none was served", () => {
    expect(aheadOf(7, undefined)).toBe(0);
  });

  it("are overdue after three puts for each that comes first", () => {
    expect(isOverdue(2, 35, 6)).toBe(false);
    expect(isOverdue(2, 37, 6)).toBe(true);
    expect(isOverdue(1, 19, 6)).toBe(true);
  });

  it("are looked for seldom from afar, and often when they are near", () => {
    expect(pauseMs(1, 6)).toBe(1);
    expect(pauseMs(3, 6)).toBe(1);
    expect(pauseMs(13, 10)).toBeCloseTo(70);
  });

  it("are shown by the last batch for a second", () => {
    const end = { turn: 3, publishedAt: 1_000 };
    expect(isServing(end, 1_000 + CROWDED_MS - 1)).toBe(true);
    expect(isServing(end, 1_000 + CROWDED_MS)).toBe(false);
    expect(isServing({ publishedAt: 1_000 }, 1_000)).toBe(false);
    expect(isServing(undefined, 1_000)).toBe(false);
  });

  it("that were served are carried on, and never fall", () => {
    const end = { turn: 5, publishedAt: 1_000 };
    expect(servedWith(6, end, 1_000)).toBe(6);
    expect(servedWith(4, end, 1_000)).toBe(5);
    expect(servedWith(undefined, end, 1_000)).toBe(5);
    expect(servedWith(undefined, end, 9_000)).toBeUndefined();
    expect(servedWith(4, end, 9_000)).toBe(4);
    expect(servedWith(undefined, { publishedAt: 1_000 }, 1_000)).toBeUndefined();
  });
});
