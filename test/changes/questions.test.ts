import { expect, it } from "vitest";
import { questionsOf } from "./questions.ts";

/**
 * Asks a test whose result depends on the active change (-1 for none) and on the number of the run.
 */
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

it("the questions ask about one change after the other, and confirm each failure", () => {
  expect(ask([4, 5, 6], (active) => active !== 5)).toEqual({
    outcomes: ["4 passed", "5 noticed", "6 passed"],
    runs: [4, 5, -1, 6],
  });
});

it("the remaining questions are unsure when the test fails without a change", () => {
  expect(ask([4, 5, 6], (_, run) => run < 1)).toEqual({
    outcomes: ["4 passed", "5 unsure", "6 unsure"],
    runs: [4, 5, -1],
  });
});

it("nothing is asked without questions", () => {
  expect(ask([], () => true)).toEqual({ outcomes: [], runs: [] });
});

it("a run that does not execute its change does not count", () => {
  const questions = questionsOf([4]);
  questions.next();
  expect(questions.conclude(true, false)).toEqual([{ number: 4, outcome: "unmet" }]);
});
