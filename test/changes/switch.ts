import { appendFileSync } from "node:fs";
import { afterAll, afterEach, beforeEach, expect, inject } from "vitest";
import { edge } from "./edge.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The number of the active change (-1 for none), and the limit on its executions. */
    change: { readonly number: number; readonly meetingsMax: number };
    /** The ids of the tests to run. Null means all. */
    chosen: readonly string[] | null;
    /** The file to which each test writes the changes that it executes, if that is requested. */
    meetings: string | null;
  }
}

/**
 * The set-up of every test file while changes are tried. `__changed` returns whether a change is
 * active and counts its executions. A change that is executed far more often than without it
 * probably causes an endless loop. The process then ends, which counts as noticed.
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

/** The counts before a test. The difference belongs to the test. */
let before: number[] = [];

/** Records the executions since the last record, by a test or outside of all tests. */
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
