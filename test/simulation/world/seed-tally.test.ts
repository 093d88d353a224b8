import { expect, it } from "vitest";
import { EXPECTED_COUNTS, emptyTally, missingFrom } from "./seed-tally.ts";

const everything = Object.fromEntries(EXPECTED_COUNTS.map((name) => [name, 1]));
const tally = (counts: Record<string, number>) => ({ ...emptyTally(), counts });

it("a tally lists what never happened in a run of seeds", () => {
  expect(missingFrom(tally(everything))).toEqual([]);
  expect(missingFrom(tally({ ...everything, "doorbell.lost": 0 }))).toEqual(["doorbell.lost"]);
});

it("a tally misses stale reads as soon as reads may be stale", () => {
  expect(missingFrom(tally({ ...everything, "read.eventual": 1 }))).toEqual(["read.stale"]);
  expect(missingFrom(tally({ ...everything, "read.eventual": 9, "read.stale": 1 }))).toEqual([]);
});
