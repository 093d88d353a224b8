import { describe, expect, it } from "vitest";
import {
  afterRace,
  afterTurn,
  aheadOf,
  CROWDED_MS,
  type Crowd,
  hasMet,
  isOverdue,
  isServing,
  needsTurn,
  pauseMs,
  servedWith,
} from "./turn-plan.ts";

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

  it("are shown by the last batch for a while", () => {
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

describe("a writer", () => {
  const lose = (...atMs: number[]) => atMs.reduce<Crowd | undefined>(afterRace, undefined);

  it("takes no turn for one lost race, nor for one now and then", () => {
    expect(needsTurn(undefined, true, 0)).toBe(false);
    expect(needsTurn(lose(100), false, 101)).toBe(false);
    expect(needsTurn(lose(100, 300, 500), false, 501)).toBe(false);
  });

  it("takes a turn after two lost races in a row", () => {
    expect(needsTurn(lose(100, 110), false, 111)).toBe(true);
  });

  it("takes a turn after a race that it lost to writers that take turns", () => {
    expect(needsTurn(lose(100), true, 101)).toBe(true);
    expect(needsTurn(lose(100), true, 200)).toBe(false);
  });

  it("goes on with turns while it has to wait, also after a race lost later", () => {
    const waited = afterTurn(undefined, true, 1_000);
    expect(needsTurn(waited, false, 1_000 + CROWDED_MS - 1)).toBe(true);
    expect(needsTurn(afterRace(waited, 1_200), false, 1_201)).toBe(true);
    expect(needsTurn(waited, true, 1_000 + CROWDED_MS)).toBe(false);
  });

  it("takes no more turns after three that came at once", () => {
    const inLine = lose(100, 110);
    const free = (times: number) =>
      Array.from({ length: times }).reduce<Crowd | undefined>(
        (crowd) => afterTurn(crowd, false, 120),
        inLine,
      );
    expect(needsTurn(free(2), false, 121)).toBe(true);
    expect(needsTurn(free(3), true, 121)).toBe(false);
    const waited = afterTurn(free(2), true, 120);
    expect(needsTurn(afterTurn(waited, false, 121), false, 122)).toBe(true);
  });

  it("remembers for a while that it has met others", () => {
    expect(hasMet(undefined, 0)).toBe(false);
    expect(hasMet(lose(100), 100 + CROWDED_MS - 1)).toBe(true);
    expect(hasMet(lose(100), 100 + CROWDED_MS)).toBe(false);
  });
});
