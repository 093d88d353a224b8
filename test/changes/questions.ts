import type { Outcome } from "./orders.ts";

type Concluded = { readonly number: number; readonly outcome: Outcome };

/**
 * Tries several changes with one test, one after the other. It decides which change is active in
 * the next run (-1 for none) and concludes what the last run shows. After a run that fails, the
 * test runs with no change active. If it fails again, it cannot be repeated, and its answers are
 * unsure.
 */
export function questionsOf(numbers: readonly number[]) {
  let left = numbers;
  let present: number | undefined;
  let suspect: number | undefined;
  return {
    isDone: (): boolean => present === undefined && suspect === undefined,
    next: (): number => {
      if (suspect !== undefined) return -1;
      [present, ...left] = left;
      return present ?? -1;
    },
    /**
     * `passed` is undefined before the first run. `isMet` says whether the last run executed its
     * change.
     */
    conclude: (passed: boolean | undefined, isMet: boolean): readonly Concluded[] => {
      const number = suspect ?? present;
      if (passed === undefined || number === undefined) return [];
      if (suspect === undefined) {
        present = undefined;
        if (passed) return [{ number, outcome: isMet ? "passed" : "unmet" }];
        suspect = number;
        return [];
      }
      suspect = undefined;
      if (passed) return [{ number, outcome: "noticed" }];
      const unsure = [number, ...left];
      left = [];
      return unsure.map((each) => ({ number: each, outcome: "unsure" }));
    },
  };
}
