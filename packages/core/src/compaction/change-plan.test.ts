import { expect, it } from "vitest";
import type { ChangeChunk } from "../model/change.ts";
import { planComparison, planReplacement } from "./change-plan.ts";

const chunk = (run: number, count: number, level = 0, to = run): ChangeChunk => ({
  id: `${run}/${to}`,
  to,
  count,
  level,
  run,
  at: 0,
});

/** Returns the level and the number of parts that are compared, of runs of 1,000 events each. */
const plan = (counts: readonly number[], from = 0) => {
  const chunks = counts.map((count, at) => chunk(from + (at + 1) * 1_000, count));
  const found = planComparison({ from, chunks });
  return found === undefined ? undefined : [found.level, found.chunks.length];
};

it("[difference.cost] two runs are compared when their keys changed several times", () => {
  expect(plan([400])).toBeUndefined();
  expect(plan([400, 500])).toEqual([0, 2]);
  expect(plan([400, 501])).toBeUndefined();
  expect(plan([501, 400])).toBeUndefined();
  expect(plan([400, 500], 7_000)).toEqual([0, 2]);
});

it("[difference.cost] eight runs are compared whatever their keys", () => {
  expect(plan(Array(7).fill(1_000))).toBeUndefined();
  expect(plan(Array(8).fill(1_000))).toEqual([0, 8]);
});

it("[difference.cost] the parts of a run count together", () => {
  const parts = [chunk(1_000, 300, 0, 500), chunk(1_000, 300, 0, 1_000), chunk(2_000, 400)];
  expect(planComparison({ from: 0, chunks: parts })).toBeUndefined();
  // Over 2,000 events, 600 changes are few.
  expect(planComparison({ from: -1_000, chunks: parts })?.chunks).toHaveLength(3);
});

it("[difference.cost] runs of a higher level are compared by themselves", () => {
  const chunks = [chunk(9_000, 9_000, 1), chunk(10_000, 400), chunk(11_000, 400)];
  const found = planComparison({ from: 0, chunks });
  expect(found?.chunks.map(({ run }) => run)).toEqual([10_000, 11_000]);
});

it("[difference.cost] two runs of the same keys become one of the same level", () => {
  const changes = Array.from({ length: 100 }, (_, at) => ({ key: `k${at}`, sequence: at + 1 }));
  const later = changes
    .slice(0, 90)
    .map(({ key, sequence }) => ({ key, sequence: 100 + sequence }));
  const { plans, level } = planReplacement([changes, later], { to: 191, level: 0 });
  expect(plans?.flatMap((each) => each.changes)).toHaveLength(100);
  expect(level).toBe(0);
});
