import { expect, it } from "vitest";
import { GONE_MS, planForgetting, ROWS_KEPT } from "./forget-gone.ts";

const rows = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ consumer: `w${n}`, until: n }));
const planned = (count: number, goneMs: (until: number) => number | undefined) =>
  planForgetting(rows(count), ({ until }) => goneMs(until)).map(({ until }) => until);

it("rows of gone workers are kept while they are few", () => {
  expect(planned(ROWS_KEPT, () => GONE_MS)).toEqual([]);
  expect(planned(ROWS_KEPT + 2, () => GONE_MS)).toEqual([0, 1]);
});

it("rows of live workers and of workers that went just now are kept", () => {
  const age = (until: number) => [undefined, GONE_MS - 1, GONE_MS][until];
  expect(planned(100, age)).toEqual([2]);
});

it("one poll deletes at most 25 rows", () => {
  expect(planned(300, () => GONE_MS)).toHaveLength(25);
});
