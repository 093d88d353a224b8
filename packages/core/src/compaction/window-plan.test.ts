import { describe, expect, it } from "vitest";
import { afterWrite, LIMIT_MAX, LIMIT_MIN, type WriteWindow, wideWindow } from "./window-plan.ts";

const after = (window: WriteWindow, times: readonly number[], inFlight = 1): WriteWindow =>
  times.reduce((now, ms) => afterWrite(now, { ms, inFlight }), window);
const writes = (count: number, ms: number): number[] => Array<number>(count).fill(ms);

describe("the writes that compaction may have in flight", () => {
  it("stay at the bound while they are answered as fast as ever", () => {
    expect(after(wideWindow, writes(500, 5)).limit).toBe(LIMIT_MAX);
  });

  it("a slow write halves the window, once for all that were in flight together", () => {
    const usual = after(wideWindow, writes(50, 5));
    expect(after(usual, [200], 32).limit).toBe(LIMIT_MAX / 2);
    expect(after(usual, writes(32, 200), 32).limit).toBe(LIMIT_MAX / 2);
    expect(after(usual, writes(33, 200), 32).limit).toBe(LIMIT_MAX / 4);
  });

  it("the window is never below one, and grows again one at a time", () => {
    const held = after(after(wideWindow, writes(50, 5)), writes(20, 500));
    expect(held.limit).toBe(LIMIT_MIN);
    expect(after(held, [5]).limit).toBe(2);
    expect(after(held, [5, 5, 5]).limit).toBeLessThanOrEqual(3);
    expect(after(held, writes(600, 5)).limit).toBe(LIMIT_MAX);
  });

  it("the window follows a store that has become slower for good", () => {
    const held = after(after(wideWindow, writes(50, 5)), writes(1_000, 25));
    expect(held.limit).toBe(LIMIT_MAX);
  });
});
