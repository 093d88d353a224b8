import { describe, expect, it } from "vitest";
import { DAY_MS } from "../kernel/time.ts";
import type { LostRange } from "../model/restored.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { ReceiptRow } from "../table/receipt.entity.ts";
import { planJump, planLost, speaksOfLost } from "./restore-plan.ts";

const NOW = Date.UTC(2027, 0, 1);
const range: LostRange = { id: "r", from: 10, to: 20 };

const checkpoint = (next: number, floor = 1): Checkpoint => ({
  next,
  floor,
  checkedAt: 1,
  compactedThrough: 1,
  floorAt: 0,
  events: 0,
  bytes: 0,
});

const receipt = (first: number, count: number, partition = 0): ReceiptRow => ({
  key: "k",
  requestHash: "hash",
  publishedAt: 0,
  expiresAt: 0,
  parts: [{ partition, first, count, batchFirst: first, batchId: new Uint8Array(16) }],
});

describe("the numbers after a restore", () => {
  it("exceed all that the stream can have assigned, and the line of all copies", () => {
    const line = 365 * DAY_MS * 10;
    expect(planJump(5, { seenMs: NOW, nowMs: NOW })).toBe(line);
    const end = 10 ** 13;
    const growth = (DAY_MS + 60_000) * 1_000;
    expect(planJump(end, { seenMs: NOW - 60_000, nowMs: NOW })).toBe(end + growth);
  });
});

describe("a checkpoint after a loss", () => {
  it("moves to the end of the lost range only from within it", () => {
    const places = [9, 10, 19, 20, 25].map((next) => planLost(checkpoint(next), range, NOW).next);
    expect(places).toEqual([9, 20, 20, 20, 25]);
  });

  it("leaves the floor at the beginning of the lost range", () => {
    const floors = [9, 10, 11, 20].map(
      (floor) => planLost(checkpoint(20, floor), range, NOW).floor,
    );
    expect(floors).toEqual([9, 10, 20, 20]);
  });

  it("is through with compaction only at the end of the chain", () => {
    const through = (next: number, of = range) =>
      planLost(checkpoint(next), of, NOW).compactedThrough;
    expect([through(9), through(10), through(25)]).toEqual([1, NOW, 1]);
    expect(through(10, { ...range, hole: true })).toBe(1);
  });
});

describe("a receipt", () => {
  it("of lost events is one with at least one number in a lost range of its partition", () => {
    const lost = new Map([[0, [{ id: "r", from: 3, to: 4 }, range]]]);
    const speaks = (first: number, count: number, partition?: number) =>
      speaksOfLost(receipt(first, count, partition), lost, 4);
    expect([speaks(9, 1), speaks(9, 2), speaks(19, 1), speaks(20, 1)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(speaks(10, 1, 1)).toBe(false);
  });
});
