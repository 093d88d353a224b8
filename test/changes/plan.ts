import type { Measured } from "./measured.ts";
import type { Answer, Orders, Outcome } from "./orders.ts";

/** A run of one test file. */
export type Job = {
  readonly file: string;
  readonly orders: Pick<Orders, "limits" | "active" | "only" | "questions" | "patienceMs">;
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
const PATIENCE = { leastMs: 15_000, times: 20 };
/**
 * The limit on executions of a change: at least `least`, and otherwise this multiple of their
 * number without the change.
 */
const MEETINGS = { least: 10_000, times: 100 };
/** A file that takes longer is not run completely for a single change. */
const ALONE_MS = 20_000;

const SETTLED: readonly Outcome[] = ["noticed", "endless"];
/** These outcomes are tried again with the change active from the beginning of the file. */
const DOUBTFUL: readonly Outcome[] = ["unsure", "late"];

/** Returns the next run: the fastest file with open questions, or undefined at the end. */
export function nextJob(
  measured: readonly Measured[],
  numbers: ReadonlySet<number>,
  answers: readonly Answer[],
): Job | undefined {
  const settled = new Set(answers.flatMap((a) => (SETTLED.includes(a.outcome) ? a.number : [])));
  const asked = new Set(answers.map(keyOf));
  const open = (number: number) => numbers.has(number) && !settled.has(number);
  const late = new Set(answers.flatMap((a) => (a.outcome === "late" ? a.number : [])));
  const files = measured
    .filter(({ passed }) => passed)
    .map((file) => ({ ...file, ms: sum(Object.values(file.msOf)) }))
    .sort((a, b) => a.ms - b.ms);
  for (const file of files) {
    const questions: Record<string, number[]> = {};
    for (const { test, meetings } of file.meetings) {
      if (test === null) continue;
      const left = meetings
        .map(([number]) => number)
        .filter((number) => open(number) && !late.has(number))
        .filter((number) => !asked.has(keyOf({ file: file.file, test, number })));
      if (left.length > 0) questions[test] = left;
    }
    if (Object.keys(questions).length > 0) {
      return { file: file.file, orders: { ...boundsOf(file), questions } };
    }
  }
  // Changes that loading a file executes, and outcomes that a repeated test leaves open.
  for (const file of files) {
    const loading = file.meetings.filter(({ test }) => test === null);
    const met = new Set(loading.flatMap(({ meetings }) => meetings.map(([number]) => number)));
    const doubts = Map.groupBy(
      answers.filter(({ outcome, file: of }) => of === file.file && DOUBTFUL.includes(outcome)),
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
    const by = all.find(({ outcome }) => SETTLED.includes(outcome));
    const end = by?.outcome === "endless" ? " (it goes on for ever)" : "";
    const said = by === undefined ? null : `${pathOf(by.file)}: ${by.name ?? "itself"}${end}`;
    const tests = all.filter(({ outcome }) => outcome !== "begun" && outcome !== "unmet");
    return { number, by: said, asked: new Set(tests.map(keyOf)).size };
  });
}

function boundsOf({ msOf, meetings }: Measured): Pick<Orders, "limits" | "patienceMs"> {
  const most = new Map<number, number>();
  for (const { meetings: met } of meetings) {
    for (const [number, times] of met) most.set(number, Math.max(most.get(number) ?? 0, times));
  }
  const limit = (times: number) => Math.max(MEETINGS.least, times * MEETINGS.times);
  const patience = (ms: number) => Math.max(PATIENCE.leastMs, ms * PATIENCE.times);
  return {
    limits: [...most].map(([number, times]) => [number, limit(times)]),
    patienceMs: Object.fromEntries(Object.entries(msOf).map(([id, ms]) => [id, patience(ms)])),
  };
}

const keyOf = ({ file, test, number }: Pick<Answer, "file" | "test" | "number">): string =>
  `${number} ${test ?? file}`;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
