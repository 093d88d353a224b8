import { expect, it } from "vitest";
import { questionsOf } from "./questions.ts";

/** Asks a test that passes or not by which change is active (-1 for none), in its nth run. */
function ask(numbers: readonly number[], passes: (active: number, run: number) => boolean) {
  const questions = questionsOf(numbers);
  const outcomes: string[] = [];
  const runs: number[] = [];
  for (let passed: boolean | undefined; runs.length < 20; ) {
    const concluded = questions.conclude(passed, true);
    outcomes.push(...concluded.map(({ number, outcome }) => `${number} ${outcome}`));
    const active = questions.next();
    if (questions.isDone()) break;
    passed = passes(active, runs.length);
    runs.push(active);
  }
  return { outcomes, runs };
}

it("asks about one change after the other, and makes sure of what fails", () => {
  expect(ask([4, 5, 6], (active) => active !== 5)).toEqual({
    outcomes: ["4 passed", "5 noticed", "6 passed"],
    runs: [4, 5, -1, 6],
  });
});

it("is unsure of everything that is left when the test fails without a change", () => {
  expect(ask([4, 5, 6], (_, run) => run < 1)).toEqual({
    outcomes: ["4 passed", "5 unsure", "6 unsure"],
    runs: [4, 5, -1],
  });
});

it("asks nothing without questions", () => {
  expect(ask([], () => true)).toEqual({ outcomes: [], runs: [] });
});

it("does not count a run that does not meet its change", () => {
  const questions = questionsOf([4]);
  questions.next();
  expect(questions.conclude(true, false)).toEqual([{ number: 4, outcome: "unmet" }]);
});
