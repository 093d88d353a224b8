import { describe, expect, it } from "vitest";
import { afterLost, isEntered, isLost, type LostRange, restoredEnd } from "./restored.ts";

const hole: LostRange = { id: "r1", from: 3, to: 5, hole: true };
const end: LostRange = { id: "r1", from: 10, to: 20 };

describe("the numbers that a restore lost", () => {
  it("a position after lost events is lost, and the positions at both edges are not", () => {
    const positions = [9, 10, 11, 19, 20, 21];
    expect(positions.filter((next) => isLost([end], next))).toEqual([11, 19]);
    expect(isLost(undefined, 11)).toBe(false);
  });

  it("a read continues after the lost numbers that begin at its position", () => {
    expect([2, 3, 4, 10].map((next) => afterLost([hole, end], next))).toEqual([2, 5, 4, 20]);
    expect(afterLost(undefined, 10)).toBe(10);
  });

  it("[restore.partitions] lost numbers at the beginning of a partition are passed without a compaction", () => {
    const lost = [{ id: "r1", from: 7, to: 20 }];
    const entered = (next: number, start: number) => isEntered({ next, lost }, start);
    expect([7, 20, 21].map((next) => entered(next, 7))).toEqual([false, false, true]);
    expect([6, 7, 20].map((next) => entered(next, 6))).toEqual([false, true, true]);
    expect(isEntered({ next: 8 }, 7)).toBe(true);
  });

  it("a restore ended a partition at its range without a hole", () => {
    expect(restoredEnd([hole, end], "r1")).toBe(10);
    expect(restoredEnd([hole, end], "r2")).toBeUndefined();
    expect(restoredEnd([hole], "r1")).toBeUndefined();
    expect(restoredEnd(undefined, "r1")).toBeUndefined();
  });
});
