import { expect, it } from "vitest";
import { isAsExpected } from "./expectation-plan.ts";

it("an expectation of 0 matches a key without events and a deleted one", () => {
  const expects = (sequence: number) => ({ partition: 0, key: "k", sequence });
  const last = { sequence: 7, deleted: false };
  expect([6, 7, 0].map((each) => isAsExpected(expects(each), last))).toEqual([false, true, false]);
  const gone = { sequence: 7, deleted: true };
  expect([6, 7, 0].map((each) => isAsExpected(expects(each), gone))).toEqual([false, true, true]);
  expect(isAsExpected(expects(0), { sequence: 0, deleted: false })).toBe(true);
});
