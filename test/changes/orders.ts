/** The orders for a run of test files. The tests read them from a file. */
export type Orders = {
  /** The file to which the tests write their answers, one per line. */
  readonly answers: string;
  /** The number of changes in the sources. */
  readonly changes: number;
  /** The limit on the executions of each change in one run of a test. */
  readonly limits: readonly (readonly [number: number, times: number])[];
  /** The file to which the tests write the changes that they execute, if that is requested. */
  readonly meetings?: string;
  /** A change that is active from the beginning. */
  readonly active?: number | undefined;
  /** The ids of the tests to run. Without it, all run. */
  readonly only?: readonly string[] | undefined;
  /** The changes to try with each test, by the id of the test. */
  readonly questions?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Whether slow tests try all of their changes. Otherwise, they stop after the first one. */
  readonly isSlow?: boolean | undefined;
  /** The time limit for one run of each test. */
  readonly patienceMs?: Readonly<Record<string, number>> | undefined;
};

/**
 * The outcome of a test for a change.
 *
 * - `begun`: the test has started with the change. Another outcome follows.
 * - `noticed`: the test fails with the change and passes again without it.
 * - `passed`: the test passes with the change.
 * - `unmet`: the test passes, but it did not execute the change this time.
 * - `unsure`: the test also fails without the change when it runs again.
 * - `endless`: the change was executed far too often.
 * - `late`: the test took far too long.
 * - `slow`: the test is left for later, with all changes that it has not tried. There is no number.
 */
export type Outcome =
  | "begun"
  | "noticed"
  | "passed"
  | "unmet"
  | "unsure"
  | "endless"
  | "late"
  | "slow";

export const NO_NUMBER = -1;

export type Answer = {
  readonly file: string;
  /** The id of the test. Null means the whole file, run with the change from its beginning. */
  readonly test: string | null;
  readonly number: number;
  readonly outcome: Outcome;
  /** The title of the test. */
  readonly name?: string;
  /** The process that runs the test. */
  readonly pid?: number;
};
