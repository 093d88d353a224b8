import type { Measured } from "./measured.ts";
import type { Answer, Orders, Outcome } from "./orders.ts";

/** A run of one test file. */
export type Job = {
  readonly file: string;
  readonly orders: Pick<
    Orders,
    "limits" | "active" | "only" | "questions" | "isSlow" | "patienceMs"
  >;
};

/** The result for a change. */
export type Verdict = {
  readonly number: number;
  /** The test that notices the change, or null. */
  readonly by: string | null;
  /** The number of tests that were run with the change. */
  readonly asked: number;
};

/**
 * The time limit of a test: at least `leastMs`, and otherwise this multiple of its time without a
 * change.
 */
const PATIENCE = { leastMs: 3_000, times: 10 };
/** A test that exceeded its limit runs once more with its limit multiplied by this. */
const MORE_PATIENCE = 5;
/**
 * The limit on executions of a change: at least `least`, and otherwise this multiple of their
 * number without the change.
 */
const MEETINGS = { least: 10_000, times: 20 };
/** A file that takes longer than this is not run completely for a single change. */
const ALONE_MS = 20_000;

const SETTLED: readonly Outcome[] = ["noticed", "endless"];
/** These outcomes are tried again with the change active from the beginning of the file. */
const DOUBTFUL: Outcome = "unsure";

/**
 * Returns the next run: the fastest file with open questions, or undefined at the end. Slow tests
 * come last. With `isQuick`, they are left out.
 */
export function nextJob(
  measured: readonly Measured[],
  numbers: ReadonlySet<number>,
  answers: readonly Answer[],
  isQuick = false,
): Job | undefined {
  const lateness = latenessOf(answers);
  const settled = new Set(answers.flatMap((a) => (SETTLED.includes(a.outcome) ? a.number : [])));
  for (const { number, times } of lateness) if (times > 1) settled.add(number);
  const asked = new Set(answers.map(keyOf));
  const open = (number: number) => numbers.has(number) && !settled.has(number);
  const late = new Set(lateness.map(({ number }) => number));
  const files = measured
    .filter(({ passed }) => passed)
    .map((file) => ({ ...file, ms: sum(Object.values(file.msOf)) }))
    .sort((a, b) => a.ms - b.ms);
  const slow = new Set(answers.flatMap((a) => (a.outcome === "slow" ? a.test : [])));
  for (const isSlow of [false, true]) {
    for (const file of files) {
      const questions: Record<string, number[]> = {};
      for (const { test, meetings } of file.meetings) {
        if (test === null || slow.has(test) !== isSlow) continue;
        const left = meetings
          .map(([number]) => number)
          .filter((number) => open(number) && !late.has(number))
          .filter((number) => !asked.has(keyOf({ file: file.file, test, number })));
        if (left.length > 0) questions[test] = left;
      }
      if (Object.keys(questions).length > 0 && !(isSlow && isQuick)) {
        return { file: file.file, orders: { ...boundsOf(file), questions, isSlow } };
      }
    }
  }
  for (const { file, test, number } of lateness) {
    const of = files.find((each) => each.file === file);
    if (of === undefined || test === null || !open(number)) continue;
    return { file, orders: { ...boundsOf(of, MORE_PATIENCE), questions: { [test]: [number] } } };
  }
  // Changes that loading a file executes, and outcomes that a repeated test leaves open.
  for (const file of files) {
    const loading = file.meetings.filter(({ test }) => test === null);
    const met = new Set(loading.flatMap(({ meetings }) => meetings.map(([number]) => number)));
    const doubts = Map.groupBy(
      answers.filter(({ outcome, file: of }) => of === file.file && outcome === DOUBTFUL),
      ({ number }) => number,
    );
    for (const active of [...met, ...doubts.keys()]) {
      if (!open(active) || asked.has(keyOf({ file: file.file, test: null, number: active })))
        continue;
      const isWhole = file.ms <= ALONE_MS;
      const only = isWhole ? undefined : doubts.get(active)?.flatMap(({ test }) => test ?? []);
      if (!isWhole && only === undefined) continue;
      return { file: file.file, orders: { ...boundsOf(file), active, only } };
    }
  }
  return undefined;
}

/** Returns the result for each change. */
export function verdictsOf(
  numbers: readonly number[],
  answers: readonly Answer[],
  pathOf: (file: string) => string,
): Verdict[] {
  const of = Map.groupBy(answers, ({ number }) => number);
  return numbers.map((number) => {
    const all = of.get(number) ?? [];
    const late = latenessOf(all).find(({ times }) => times > 1);
    const by = all.find(({ outcome }) => SETTLED.includes(outcome)) ?? late;
    const end = by === undefined || by.outcome === "noticed" ? "" : " (it does not end)";
    const said = by === undefined ? null : `${pathOf(by.file)}: ${by.name ?? "itself"}${end}`;
    const tests = all.filter(({ outcome }) => outcome !== "begun" && outcome !== "unmet");
    return { number, by: said, asked: new Set(tests.map(keyOf)).size };
  });
}

/** Returns the tests whose last answer for a change was late, and how often it was. */
function latenessOf(answers: readonly Answer[]): readonly (Answer & { readonly times: number })[] {
  const late = new Map<string, Answer & { readonly times: number }>();
  for (const answer of answers) {
    const key = keyOf(answer);
    if (answer.outcome === "late")
      late.set(key, { ...answer, times: (late.get(key)?.times ?? 0) + 1 });
    else if (answer.outcome !== "begun") late.delete(key);
  }
  return [...late.values()];
}

function boundsOf(
  { msOf, meetings }: Measured,
  morePatience = 1,
): Pick<Orders, "limits" | "patienceMs"> {
  const most = new Map<number, number>();
  for (const { meetings: met } of meetings) {
    for (const [number, times] of met) most.set(number, Math.max(most.get(number) ?? 0, times));
  }
  const limit = (times: number) => Math.max(MEETINGS.least, times * MEETINGS.times);
  const patience = (ms: number) => Math.max(PATIENCE.leastMs, ms * PATIENCE.times) * morePatience;
  return {
    limits: [...most].map(([number, times]) => [number, limit(times)]),
    patienceMs: Object.fromEntries(Object.entries(msOf).map(([id, ms]) => [id, patience(ms)])),
  };
}

const keyOf = ({ file, test, number }: Pick<Answer, "file" | "test" | "number">): string =>
  `${number} ${test ?? file}`;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
