import { describe, expect, it } from "vitest";
import {
  aheadOf,
  CROWDED_MS,
  IDLE_MS,
  isOverdue,
  isServing,
  pauseMs,
  type Served,
  servedWith,
} from "./ticket-plan.ts";

const waited = (number: number) => ({ number, free: false });

/** Takes free tickets one after another. Returns how many batches carry one before tickets end. */
function freeTickets(gapMs: number, from: Served = { ticket: 1, free: 0 }): number {
  let end = { ...from, publishedAt: 1_000 };
  for (let count = 0; ; count++) {
    const nowMs = end.publishedAt + gapMs;
    const served = servedWith({ number: (end.ticket ?? 0) + 1, free: true }, end, nowMs);
    if (served.ticket === undefined) return count;
    end = { ...served, publishedAt: nowMs };
  }
}

describe("tickets", () => {
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
    const end = { ticket: 3, publishedAt: 1_000 };
    expect(isServing(end, 1_000 + CROWDED_MS - 1)).toBe(true);
    expect(isServing(end, 1_000 + CROWDED_MS)).toBe(false);
    expect(isServing({ publishedAt: 1_000 }, 1_000)).toBe(false);
    expect(isServing(undefined, 1_000)).toBe(false);
  });

  it("end after two that have none before them, or 48 that follow each other at once", () => {
    expect(freeTickets(IDLE_MS)).toBe(1);
    expect(freeTickets(IDLE_MS - 1)).toBe(47);
  });

  it("go on when one had to wait, however many were free before", () => {
    const end = { ticket: 5, free: 47, publishedAt: 1_000 };
    expect(servedWith(waited(6), end, 1_000)).toEqual({ ticket: 6, free: 0 });
    expect(servedWith(undefined, end, 1_000)).toEqual({ ticket: 5, free: 47 });
  });

  it("that were served are carried on, and never fall", () => {
    const end = { ticket: 5, publishedAt: 1_000 };
    expect(servedWith(waited(6), end, 1_000)).toEqual({ ticket: 6, free: 0 });
    expect(servedWith(waited(4), end, 1_000)).toEqual({ ticket: 5, free: 0 });
    expect(servedWith(undefined, end, 1_000)).toEqual({ ticket: 5, free: 0 });
    expect(servedWith(undefined, end, 9_000)).toEqual({});
    expect(servedWith(waited(4), end, 9_000)).toEqual({ ticket: 4, free: 0 });
    expect(servedWith(undefined, { publishedAt: 1_000 }, 1_000)).toEqual({});
  });
});
