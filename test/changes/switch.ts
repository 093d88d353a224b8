import { appendFileSync } from "node:fs";
import { afterAll, afterEach, beforeEach, expect, inject } from "vitest";
import { edge } from "./edge.ts";

declare module "vitest" {
  interface ProvidedContext {
    /**
     * The number of the change that is awake in this run, -1 for none, and how often it may be
     * met.
     */
    change: { readonly number: number; readonly meetingsMax: number };
    /** The ids of the tests to run, null for all. */
    chosen: readonly string[] | null;
    /** Where each test writes which changes it meets, if that is asked for. */
    meetings: string | null;
  }
}

/**
 * Set-up of every test file while changes are tried: `__changed` says whether a change is awake,
 * and
 * counts how often each is met. One that is met far more often than without it makes something
 * go on
 * for ever: the process ends, which counts as noticed.
 */
const { number: awake, meetingsMax } = inject("change");
const met: number[] = [];

const changed = (number: number): boolean => {
  const times = (met[number] ?? 0) + 1;
  met[number] = times;
  if (number !== awake) return false;
  if (times > meetingsMax) process.kill(process.pid, "SIGKILL");
  return true;
};

Object.assign(globalThis, { __changed: changed, __edge: edge });

/** What was met before, so that the rest is the test's own. */
let before: number[] = [];

/** Notes what was met since the last note, by a test or outside of all. */
function note(test: string | null): void {
  const path = inject("meetings");
  if (path === null) return;
  const meetings = [...met.entries()].flatMap(([number, times = 0]) =>
    times > (before[number] ?? 0) ? [[number, times]] : [],
  );
  before = [...met];
  const file = expect.getState().testPath;
  appendFileSync(path, `${JSON.stringify({ file, test, meetings })}\n`);
}

beforeEach(({ task, skip }) => {
  if (inject("chosen")?.includes(task.id) === false) skip();
  note(null);
});
afterEach(({ task }) => note(task.id));
afterAll(() => note(null));
