import { appendFileSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from "vitest";
import { watchCalm } from "./calm.ts";
import { edge } from "./edge.ts";
import { type Answer, NO_NUMBER, type Orders } from "./orders.ts";
import { questionsOf } from "./questions.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The file with the orders for this run. */
    orders: string;
  }
}

/**
 * The set-up of every test file while changes are tried. `__changed` returns whether a change is
 * active. Vitest repeats each test, with one change after the other.
 */
const orders = JSON.parse(readFileSync(inject("orders"), "utf8")) as Orders;
const file = expect.getState().testPath ?? "";
const limits = new Map(orders.limits);
/** The number of executions of each change, while that is measured. */
const met = orders.meetings === undefined ? undefined : new Uint32Array(orders.changes);
let active = orders.active ?? NO_NUMBER;
/** The number of executions of the active change in the current run of a test. */
let meetings = 0;

Object.assign(globalThis, {
  __edge: edge,
  __changed: (number: number): boolean => {
    if (met !== undefined) met[number] = (met[number] ?? 0) + 1;
    if (number !== active) return false;
    // A change that is executed far more often than in the run without it probably causes an
    // endless loop.
    if (++meetings > (limits.get(number) ?? Number.POSITIVE_INFINITY)) endWith("endless");
    return true;
  },
});

/** A test that takes longer is slow. */
const SLOW_MS = 2_000;

const note = (answer: Omit<Answer, "file">) =>
  appendFileSync(orders.answers, `${JSON.stringify({ file, ...answer })}\n`);

/** Ends a process that might never end, and says why. */
function endWith(outcome: "endless" | "late"): void {
  note({ number: active, test, outcome, name: title });
  process.kill(process.pid, "SIGKILL");
}

let test: string | null = null;
let title = "";
let endWatch = () => {};
let activeSince = 0;

function activate(number: number): void {
  active = number;
  meetings = 0;
  activeSince = performance.now();
  endWatch();
  if (number < 0) return;
  endWatch = watchCalm(orders.patienceMs?.[test ?? ""] ?? 60_000, () => endWith("late"));
  note({ number, test, outcome: "begun", pid: process.pid });
}

const { questions } = orders;

// biome-ignore lint/correctness/noEmptyPattern: Vitest reads which fixtures are wanted here.
beforeAll(({}, suite) => {
  const prepare = (tasks: typeof suite.tasks) => {
    for (const task of tasks) {
      // Only one test at a time can say what it executes.
      task.concurrent = false;
      if (task.type === "suite") prepare(task.tasks);
      // A skip ends the repetitions after the last question.
      else task.repeats = questions?.[task.id] === undefined ? 0 : 1_000_000;
    }
  };
  prepare(suite.tasks);
});

if (questions !== undefined) {
  // Only the failure counts, so no time is spent on minimising its example.
  fc.configureGlobal({ endOnFailure: true });
  const done = new Set<number>();
  // A rejection that nothing handles fails a run of Vitest, but no test.
  let hasRejected = false;
  process.on("unhandledRejection", () => {
    hasRejected = true;
  });
  let ask: ReturnType<typeof questionsOf> | undefined;

  beforeEach(({ task, skip }) => {
    if (test !== task.id) {
      test = task.id;
      title = task.name;
      ask = questionsOf((questions[task.id] ?? []).filter((number) => !done.has(number)));
    }
    const before = task.result?.attempts?.at(-1);
    const passed = before === undefined ? undefined : before.state === "pass" && !hasRejected;
    hasRejected = false;
    const concluded = ask?.conclude(passed, meetings > 0) ?? [];
    for (const { number, outcome } of concluded) {
      if (outcome === "noticed") done.add(number);
      note({ number, test, outcome, name: title });
    }
    if (concluded.length > 0 && !orders.isSlow && performance.now() - activeSince > SLOW_MS) {
      note({ number: NO_NUMBER, test, outcome: "slow" });
      ask = undefined;
    }
    activate(ask?.next() ?? NO_NUMBER);
    if (ask?.isDone() !== false) skip();
  });
} else {
  let before = new Uint32Array(orders.changes);
  const noteMeetings = (of: string | null) => {
    if (orders.meetings === undefined || met === undefined) return;
    const since = [...met.entries()].flatMap(([number, times]) =>
      times > (before[number] ?? 0) ? [[number, times]] : [],
    );
    before = met.slice();
    appendFileSync(orders.meetings, `${JSON.stringify({ file, test: of, meetings: since })}\n`);
  };
  let isLoaded = false;
  beforeEach(({ task, skip }) => {
    if (orders.only?.includes(task.id) === false) skip();
    test = task.id;
    if (!isLoaded) noteMeetings(null);
    isLoaded = true;
  });
  afterEach(({ task }) => noteMeetings(task.id));
}
afterAll(() => activate(NO_NUMBER));
