import type { Line } from "./history.ts";
import { collectLines } from "./made-up-lines.ts";

const JUMP = 1_000;

/**
 * Returns a correct history with a restore. A table is copied after two events, a third is
 * published and read, and the copy comes into use. The third event is then sent again and written
 * again. A reader of the third event starts over, and a reader of two events continues.
 */
export function makeRestore(): Line[] {
  const { lines, add, batchTimes } = collectLines();
  const batch = (life: string, first: number, n?: number): void => {
    const events = n === undefined ? [] : [{ n, key: `k${n}` }];
    const jump = n === undefined ? { jump: JUMP } : {};
    add({
      type: "info",
      op: "batch",
      partition: 0,
      seen: true,
      life,
      first,
      events,
      ...jump,
      ...batchTimes(),
    });
  };
  let calls = 0;
  const publish = (life: string, n: number, first: number): void => {
    const call = ++calls;
    const events = [{ n, key: `k${n}` }];
    const head = { process: "p", call, op: "publish" };
    add({ type: "invoke", ...head, stream: "orders", events, keyed: true });
    batch(life, first, n);
    add({ type: "ok", ...head, sequences: [first] });
  };
  const read = (
    session: string,
    life: string,
    after: number | undefined,
    events: readonly (readonly [number, number])[],
    to: number,
  ): void => {
    const call = ++calls;
    const head = { process: session, call, op: "read" };
    const from = after === undefined ? { place: "earliest" } : { after: [after] };
    add({ type: "invoke", ...head, stream: "orders", session, ...from });
    const page = { life, phase: "log", events, to: [to], caughtUp: true, consistent: true };
    add({ type: "ok", ...head, ...page });
  };
  publish("a", 1, 1);
  publish("a", 2, 2);
  read(
    "keeps",
    "a",
    undefined,
    [
      [1, 1],
      [2, 2],
    ],
    3,
  );
  add({ type: "info", op: "copied", copy: 1 });
  publish("a", 3, 3);
  read(
    "loses",
    "a",
    undefined,
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
    4,
  );
  add({ type: "info", op: "restored", copy: 1, lives: [{ from: "a", to: "a~1" }] });
  batch("a~1", 3);
  publish("a~1", 3, 3 + JUMP);
  const refused = { process: "loses", call: ++calls, op: "read" };
  add({ type: "invoke", ...refused, stream: "orders", session: "loses", after: [4] });
  add({ type: "fail", ...refused, code: "invalid-cursor", reason: "restored" });
  read("keeps", "a~1", 3, [[3, 3 + JUMP]], 4 + JUMP);
  const all = [
    [1, 1],
    [2, 2],
    [3, 3 + JUMP],
  ] as const;
  read("again", "a~1", undefined, all, 4 + JUMP);
  return lines;
}

/** Returns the same history with one kind of line changed. */
const changed = (change: (line: Line) => object): Line[] =>
  makeRestore().map((line) => ({ ...line, ...change(line) }) as Line);

/** The number of the lost event is given to another event. */
export const numberAgain = (): Line[] =>
  changed((line) => {
    if (line.type === "info" && line.op === "batch" && line.jump) return { jump: 0 };
    if (line.type === "info" && line.op === "batch" && line.life === "a~1") return { first: 3 };
    return {};
  });

/** The reader of the lost event gets an answer as if nothing was lost. */
export const readsOn = (): Line[] =>
  changed((line) => {
    if (line.type !== "fail") return {};
    const page = { life: "a~1", phase: "log", events: [[3, 3 + JUMP]], to: [4 + JUMP] };
    return { type: "ok", ...page, caughtUp: true, consistent: true };
  });

/** The reader that has only kept events is refused. */
export function refusesAll(): Line[] {
  const lines = makeRestore();
  const call = lines.findLast(({ process, type }) => process === "keeps" && type === "ok");
  return lines.map((line) =>
    line === call
      ? ({ ...line, type: "fail", code: "invalid-cursor", reason: "restored" } as Line)
      : line,
  );
}

/** The reader of the stream gets a reason other than the restore. */
export const tellsElse = (): Line[] =>
  changed((line) => (line.type === "fail" ? { reason: "malformed" } : {}));

/** A retry gets the receipt of lost events. */
export const answersLost = (): Line[] =>
  makeRestore().flatMap((line) => {
    const isLast = line.type === "ok" && line.op === "publish" && line.sequences[0] === 3 + JUMP;
    return [isLast ? { ...line, sequences: [3] } : line];
  });
