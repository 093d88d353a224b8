import { readFileSync, writeFileSync } from "node:fs";
import { openSession } from "./session.ts";

/** A change to try, and the tests that execute it. Null means all tests of a file. */
export type Trial = {
  readonly number: number;
  readonly meetingsMax: number;
  readonly tests: readonly { readonly file: string; readonly of: readonly string[] | null }[];
};

/**
 * Tries a part of a run's changes in a separate process, because a test may end its process or
 * never end. The task comes in a file. The process prints a line before each test file, and one for
 * each result.
 */
const { measured, trials, ...asked } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const ASLEEP = { number: -1, meetingsMax: 0 };

const session = await openSession(asked);
say({ open: true });
/** Whether a test passes alone while no change is active. If so, its failure is due to a change. */
const alone = new Map<string, boolean>();

async function passesAlone(file: string, test: string | undefined): Promise<boolean> {
  if (test === undefined) return false;
  const known = alone.get(test) ?? (await session.try(ASLEEP, file, [test])) === undefined;
  alone.set(test, known);
  return known;
}

/** Returns the test that notices a change, or undefined. */
async function askFor(change: Trial): Promise<string | undefined> {
  for (const { file, of } of change.tests) {
    say({ number: change.number, file });
    const failure = await session.try(change, file, of);
    if (failure === undefined) continue;
    if (of === null || (await passesAlone(file, failure.test))) return `${file}: ${failure.name}`;
    // The test depends on the tests before it, so the whole file runs.
    const whole = await session.try(change, file, null);
    if (whole !== undefined) return `${file}: ${whole.name}`;
  }
  return undefined;
}

if (measured !== undefined) writeFileSync(measured, JSON.stringify(await session.measure()));
for (const change of (trials ?? []) as Trial[]) {
  const by = await askFor(change);
  say({ number: change.number, verdict: by ?? null });
}
await session.close();
process.exit(0);
