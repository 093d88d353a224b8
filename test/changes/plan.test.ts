import { expect, it } from "vitest";
import type { Measured } from "./measured.ts";
import { type Answer, NO_NUMBER, type Outcome } from "./orders.ts";
import { nextJob, verdictsOf } from "./plan.ts";

/**
 * Returns a test file with one test that takes `ms`, executes `met`, and executes `loaded` before
 * its test.
 */
const file = (name: string, ms: number, met: readonly number[], loaded: readonly number[] = []) =>
  ({
    file: name,
    passed: true,
    error: undefined,
    msOf: { [`${name}.1`]: ms },
    meetings: [
      { file: name, test: null, meetings: loaded.map((number) => [number, 1] as const) },
      { file: name, test: `${name}.1`, meetings: met.map((number) => [number, 1] as const) },
    ],
  }) satisfies Measured;

const answer = (of: string, number: number, outcome: Outcome): Answer => ({
  file: of,
  test: `${of}.1`,
  number,
  outcome,
  name: "title",
});

const quick = file("quick", 10, [1, 2]);
const slow = file("slow", 100, [1, 2, 3], [4]);
const all = new Set([1, 2, 3, 4]);

it("the quickest file is asked first, with the tests that execute the change", () => {
  const job = nextJob([slow, quick], all, []);
  expect(job).toMatchObject({ file: "quick", orders: { questions: { "quick.1": [1, 2] } } });
  expect(nextJob([slow, quick], new Set([2]), [])).toMatchObject({
    orders: { questions: { "quick.1": [2] } },
  });
});

it("a noticed change, a repeated question and a failing file are not asked", () => {
  const answers = [answer("quick", 1, "noticed"), answer("quick", 2, "passed")];
  expect(nextJob([slow, quick], all, answers)).toMatchObject({
    file: "slow",
    orders: { questions: { "slow.1": [2, 3] } },
  });
  expect(nextJob([{ ...quick, passed: false }], all, [])).toBeUndefined();
});

it("a file runs from its beginning for what its loading executes, and for what is in doubt", () => {
  const outcomes = ["passed", "unsure", "passed"] as const;
  const answers = [...outcomes.entries()].map(([at, outcome]) => answer("slow", at + 1, outcome));
  const first = nextJob([slow], all, answers);
  expect(first).toMatchObject({ file: "slow", orders: { active: 4 } });
  answers.push({ file: "slow", test: null, number: 4, outcome: "passed" });
  expect(nextJob([slow], all, answers)?.orders.active).toBe(2);
  answers.push({ file: "slow", test: null, number: 2, outcome: "passed" });
  expect(nextJob([slow], all, answers)).toBeUndefined();
});

it("a question that took too long is asked once more, alone and with more time", () => {
  const first = nextJob([quick], all, []);
  const answers = [answer("quick", 1, "late"), answer("quick", 2, "passed")];
  const again = nextJob([quick], all, answers);
  expect(again?.orders.questions).toEqual({ "quick.1": [1] });
  const [once, twice] = [first, again].map((job) => job?.orders.patienceMs?.["quick.1"] ?? 0);
  expect(twice).toBeGreaterThan(once ?? 0);

  const settled = [...answers, answer("quick", 1, "begun"), answer("quick", 1, "late")];
  expect(nextJob([quick], all, settled)).toBeUndefined();
  expect(verdictsOf([1], settled, String)).toMatchObject([
    { by: "quick: title (it does not end)" },
  ]);

  const passed = [...answers, answer("quick", 1, "passed")];
  expect(nextJob([quick, slow], all, passed)?.orders.questions).toEqual({ "slow.1": [1, 2, 3] });
});

it("leaves slow tests for the end, or out", () => {
  const found = { file: "quick", test: "quick.1", number: NO_NUMBER, outcome: "slow" as const };
  const answers = [answer("quick", 1, "passed"), found];
  expect(nextJob([quick, slow], all, answers)?.file).toBe("slow");
  const rest = [...answers, ...[1, 2, 3].map((number) => answer("slow", number, "noticed"))];
  const few = new Set([1, 2, 5]);
  expect(nextJob([quick], few, answers)?.orders).toMatchObject({
    isSlow: true,
    questions: { "quick.1": [2] },
  });
  expect(nextJob([quick], few, answers, true)).toBeUndefined();
  expect(nextJob([quick], few, rest)).toBeUndefined();
});

it("the verdict says who noticed a change, and how many were asked", () => {
  const answers = [
    ...[answer("quick", 1, "begun"), answer("quick", 1, "passed"), answer("slow", 1, "noticed")],
    ...[answer("slow", 2, "endless"), answer("slow", 3, "unmet")],
  ];
  expect(verdictsOf([1, 2, 3], answers, (path) => path.toUpperCase())).toEqual([
    { number: 1, by: "SLOW: title", asked: 2 },
    { number: 2, by: "SLOW: title (it does not end)", asked: 1 },
    { number: 3, by: null, asked: 0 },
  ]);
});
