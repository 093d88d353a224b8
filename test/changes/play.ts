import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Measured } from "./session.ts";
import type { Trial } from "./try.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Which sources to change and which tests to run. */
export type Asked = {
  /** The folder for the files of the processes. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly projects: readonly string[];
  readonly tests: readonly string[];
};

/**
 * The result for a change. `by` is the test that noticed it, `time` when a test did not end, and
 * null when no test noticed it.
 */
export type Verdict = {
  readonly number: number;
  readonly by: string | null;
  /** The number of test files that execute the change. */
  readonly asked: number;
};

/**
 * The time limit of a test file: at least `leastMs`, and otherwise this multiple of its time
 * without a change.
 */
const PATIENCE = { leastMs: 25_000, times: 10 };
/** The time limit until the first test begins, or until all are measured. */
const BEGIN_MS = 3_600_000;
/**
 * The limit on executions of a change: at least `least`, and otherwise this multiple of their
 * number without the change.
 */
const MEETINGS = { least: 10_000, times: 100 };

/**
 * Measures the time of every test file and the changes that it executes, while no change is active.
 */
export async function measure(asked: Asked): Promise<Measured[]> {
  const path = join(asked.folder, "measured.json");
  const errors = await play(asked, { measured: path, trials: [] }, { patienceMs: () => BEGIN_MS });
  if (!existsSync(path)) throw new Error(`The tests cannot be measured: ${errors}`);
  return JSON.parse(readFileSync(path, "utf8"));
}

type Plan = {
  readonly numbers: readonly number[];
  readonly workers: number;
  readonly onVerdict: (verdict: Verdict, left: number) => void;
};

/** Activates one change after the other and runs the tests that execute it, until one fails. */
export async function tryAll(
  asked: Asked,
  measured: readonly Measured[],
  { numbers, workers, onVerdict }: Plan,
): Promise<Verdict[]> {
  const trials = numbers.map((number) => trialOf(number, measured));
  const msOf = new Map(measured.map((file) => [file.file, sum(Object.values(file.msOf))]));
  const verdicts = new Map<number, Verdict>();
  const note = (number: number, by: string | null) => {
    const of = trials.find((trial) => trial.number === number)?.tests.length ?? 0;
    const name = by?.startsWith(ROOT) ? by.slice(ROOT.length + 1) : by;
    const verdict = { number, by: name, asked: of };
    verdicts.set(number, verdict);
    onVerdict(verdict, trials.length - verdicts.size);
  };
  const work = async (share: readonly Trial[]): Promise<void> => {
    // A change that takes too long ends its process. The next process continues with the following
    // change.
    for (let left = share; left.length > 0; ) {
      let present: number | undefined;
      const errors = await play(
        asked,
        { trials: left },
        {
          patienceMs: (file) => Math.max(PATIENCE.leastMs, (msOf.get(file) ?? 0) * PATIENCE.times),
          onTrial: (number) => {
            present = number;
          },
          onVerdict: (number, by) => {
            present = number;
            note(number, by);
          },
        },
      );
      if (present === undefined) throw new Error(`The tests do not begin: ${errors}`);
      if (!verdicts.has(present)) note(present, "time");
      left = left.filter(({ number }) => !verdicts.has(number));
    }
  };
  const shares = Array.from({ length: workers }, (_, worker) =>
    trials.filter((_, index) => index % workers === worker),
  );
  await Promise.all(shares.map(work));
  return numbers.flatMap((number) => verdicts.get(number) ?? []);
}

/** Chooses the tests for a change, the fastest first. */
function trialOf(number: number, measured: readonly Measured[]): Trial {
  let most = 0;
  const asked = measured.flatMap(({ file, passed, msOf, meetings }) => {
    const meeting = meetings.filter(({ meetings: met }) => met.some(([each]) => each === number));
    if (!passed || meeting.length === 0) return [];
    for (const { meetings: met } of meeting) {
      for (const [each, times] of met) if (each === number) most = Math.max(most, times);
    }
    const tests = meeting.flatMap(({ test }) => test ?? []);
    // Code that runs outside of tests concerns all tests of the file.
    const of = tests.length === meeting.length ? [...new Set(tests)] : null;
    return [{ file, of, ms: sum((of ?? Object.keys(msOf)).map((test) => msOf[test] ?? 0)) }];
  });
  const meetingsMax = Math.max(MEETINGS.least, most * MEETINGS.times);
  const tests = asked.sort((a, b) => a.ms - b.ms).map(({ file, of }) => ({ file, of }));
  return { number, meetingsMax, tests };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

type Task = { readonly measured?: string; readonly trials: readonly Trial[] };
type Watch = {
  readonly patienceMs: (file: string) => number;
  readonly onTrial?: (number: number) => void;
  readonly onVerdict?: (number: number, by: string | null) => void;
};

let processes = 0;

/**
 * Runs one process to its end. Ends it when it prints nothing for too long. Returns its error
 * output.
 */
async function play({ folder, ...asked }: Asked, task: Task, watch: Watch): Promise<string> {
  const number = ++processes;
  const meetings = join(folder, `meetings-${number}`);
  const path = join(folder, `task-${number}.json`);
  writeFileSync(path, JSON.stringify({ ...asked, ...task, meetings }));
  const child = spawn(process.execPath, [join(import.meta.dirname, "try.ts"), path], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors = `${errors}${text}`.slice(-2_000);
  });
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  process.once("exit", end);
  let timer = setTimeout(end, BEGIN_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("{")) continue;
    const { number, file, verdict } = JSON.parse(line);
    clearTimeout(timer);
    timer = setTimeout(end, watch.patienceMs(file ?? ""));
    if (number === undefined) continue;
    if (file !== undefined) watch.onTrial?.(number);
    else watch.onVerdict?.(number, verdict);
  }
  clearTimeout(timer);
  process.off("exit", end);
  return errors;
}
