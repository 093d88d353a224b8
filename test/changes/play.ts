import { appendFileSync, existsSync, readFileSync, statSync } from "node:fs";
import type { Measured } from "./measured.ts";
import type { Answer } from "./orders.ts";
import { type Job, nextJob } from "./plan.ts";
import { failureOf, type Session } from "./session.ts";

/** A run of a file is ended when it writes nothing for this long. */
const SILENCE_MS = 120_000;

type Play = {
  readonly session: Session;
  readonly measured: readonly Measured[];
  readonly numbers: readonly number[];
  /** The file for all answers. Questions that it already answers are not asked again. */
  readonly answers: string;
  /** Leaves out slow tests. */
  readonly isQuick: boolean;
  readonly onFile: (file: string, questions: number) => void;
};

/**
 * Tries changes with one test file after the other, the fastest first. Each file tries the changes
 * that it executes and that no test has noticed yet. If its process ends early, another one
 * continues.
 */
export async function tryAll(play: Play): Promise<readonly Answer[]> {
  const { session, measured, answers, onFile } = play;
  const numbers = new Set(play.numbers);
  if (!existsSync(answers)) appendFileSync(answers, "");
  for (;;) {
    const before = readAnswers(answers);
    const job = nextJob(measured, numbers, before, play.isQuick);
    if (job === undefined) return before;
    const asked = Object.values(job.orders.questions ?? {});
    onFile(job.file, job.orders.active === undefined ? new Set(asked.flat()).size : 1);
    if (job.orders.active === undefined) await askAll(session, job, answers);
    else await askAlone(session, job, answers, job.orders.active);
  }
}

/** Tries many changes with a file. Questions without an answer at its end are unsure. */
async function askAll(session: Session, { file, orders }: Job, answers: string): Promise<void> {
  const from = statSync(answers).size;
  await watched(answers, () => session.run({ ...orders, answers }, file));
  const said = readAnswers(answers, from);
  const ended = said.some(({ outcome }) => outcome === "late" || outcome === "endless");
  const last = said.at(-1);
  if (last?.outcome === "begun") {
    note(answers, { ...last, outcome: "late" });
  } else if (!ended) {
    const known = new Set(said.map(({ test, number }) => `${test} ${number}`));
    for (const [test, numbers] of Object.entries(orders.questions ?? {})) {
      if (said.some((answer) => answer.test === test && answer.outcome === "slow")) continue;
      for (const number of numbers) {
        const isKnown = known.has(`${test} ${number}`) || wasNoticed(said, number);
        if (!isKnown) note(answers, { file, test, number, outcome: "unsure" });
      }
    }
  }
}

const wasNoticed = (said: readonly Answer[], number: number): boolean =>
  said.some((answer) => answer.number === number && answer.outcome === "noticed");

/**
 * Runs a file with a change active from its beginning. If it fails, it must pass with no change
 * active, and then fail again with the change.
 */
async function askAlone(
  session: Session,
  { file, orders }: Job,
  answers: string,
  number: number,
): Promise<void> {
  const from = statSync(answers).size;
  const fails = async (active: number | undefined): Promise<string | undefined> => {
    const run = () => session.run({ ...orders, active, answers }, file);
    const modules = await watched(answers, run);
    return modules.flatMap((module) => failureOf(module) ?? [])[0];
  };
  const passes = async () => {
    const key = [file, ...(orders.only ?? [])].join();
    const known = passesAlone.get(key) ?? (await fails(undefined)) === undefined;
    passesAlone.set(key, known);
    return known;
  };
  const isNoticed = (await fails(number)) !== undefined && (await passes());
  const name = isNoticed ? await fails(number) : undefined;
  if (readAnswers(answers, from).some(({ outcome }) => outcome === "endless")) return;
  const answer = { file, test: null, number };
  if (name === undefined) note(answers, { ...answer, outcome: "passed" });
  else note(answers, { ...answer, outcome: "noticed", name });
}

const passesAlone = new Map<string, boolean>();

/** Runs tests, and ends their process when it writes nothing for too long. */
async function watched<Result>(answers: string, run: () => Promise<Result>): Promise<Result> {
  let size = -1;
  const timer = setInterval(() => {
    const now = statSync(answers).size;
    const pid = now === size ? readAnswers(answers).at(-1)?.pid : undefined;
    size = now;
    if (pid !== undefined) endProcess(pid);
  }, SILENCE_MS);
  try {
    return await run();
  } finally {
    clearInterval(timer);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has already ended by itself.
  }
}

const note = (answers: string, answer: Answer) =>
  appendFileSync(answers, `${JSON.stringify(answer)}\n`);

const readAnswers = (path: string, from = 0): Answer[] =>
  readFileSync(path)
    .subarray(from)
    .toString()
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Answer]));
