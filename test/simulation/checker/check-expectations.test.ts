import { expect, it } from "vitest";
import { createReport, indexChains } from "./chains.ts";
import { checkExpectations } from "./check-expectations.ts";
import type { EventRef, Line } from "./history.ts";

const head = { process: "p", stream: "orders" } as const;

const sent = (atMs: number, call: number, event: EventRef): Line => ({
  type: "invoke",
  op: "publish",
  ...head,
  atMs,
  call,
  events: [event],
});
const written = (atMs: number, call: number, sequence: number): Line => ({
  type: "ok",
  op: "publish",
  ...head,
  atMs,
  call,
  sequences: [sequence],
});
const refused = (atMs: number, call: number, sequence: number): Line => ({
  type: "fail",
  op: "publish",
  ...head,
  atMs,
  call,
  code: "sequence-mismatch",
  mismatches: [{ key: "a", sequence, deleted: false }],
});
/** Returns the event as in the black box, where the store is read at the end of the run. */
const readBack = (...events: EventRef[]): Line => ({
  type: "info",
  op: "batch",
  ...head,
  atMs: 1_000,
  life: "l",
  partition: 0,
  first: 1,
  publishedAtMs: 1,
  events,
});

function found(lines: readonly Line[]): string[] {
  const { report, found: violations } = createReport();
  checkExpectations(lines, indexChains(lines, report), report);
  return violations.map(({ name }) => name);
}

const FIRST = { n: 1, key: "a", expected: 0 };
const SECOND = { n: 2, key: "a", expected: 1 };
const OTHER = { n: 3, key: "a", expected: 1 };
const HISTORY = [sent(10, 1, FIRST), written(20, 1, 1), sent(30, 2, SECOND), written(50, 2, 2)];

it.each([
  ["while the key's next event was under way", 40, 45, 2],
  ["after that was acknowledged", 60, 65, 2],
  ["before the key had an event", 12, 15, 0],
])("a refusal that may have been right %s is accepted", (_, fromMs, toMs, sequence) => {
  const other = { ...OTHER, expected: 7 };
  const lines = [...HISTORY, sent(fromMs, 3, other), refused(toMs, 3, sequence)];
  expect(found([...lines, readBack(FIRST, SECOND)])).toEqual([]);
});

it.each([
  ["a later event was acknowledged before", 60, 65, 1],
  ["that event was sent only later", 22, 28, 2],
  ["the key had an event already", 25, 28, 0],
])("a refusal of a true expectation is found: %s", (_, fromMs, toMs, sequence) => {
  const other = { ...OTHER, expected: 7 };
  const lines = [...HISTORY, sent(fromMs, 3, other), refused(toMs, 3, sequence)];
  expect(found([...lines, readBack(FIRST, SECOND)])).toEqual(["false-mismatch"]);
});

it.each([
  ["is accepted", 45, []],
  ["is found before the life began", 55, ["false-mismatch"]],
])("a refusal by a life without events %s", (_, beganMs, expected) => {
  const begun: Line = {
    ...{ type: "info", op: "checkpoint", ...head, atMs: beganMs, life: "next", partition: 0 },
    ...{ checkpoint: 1, floor: 1 },
  };
  const lines = [...HISTORY, begun, sent(40, 3, { ...OTHER, expected: 7 }), refused(50, 3, 0)];
  expect(found([...lines, readBack(FIRST, SECOND)])).toEqual(expected);
});

it("two publishers that both succeeded on one sequence are found, answered or not", () => {
  const lines = [...HISTORY, sent(31, 3, OTHER)];
  expect(found([...lines, readBack(FIRST, SECOND, OTHER)])).toEqual(["broken-expectation"]);
});
