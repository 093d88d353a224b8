import { planScan, planScanEnd } from "../../packages/core/src/compaction/bootstrap-plan.ts";
import {
  emptyStretch,
  extendStretch,
  planRows,
} from "../../packages/core/src/compaction/compaction-plan.ts";
import { type Bootstrap, formatScan } from "../../packages/core/src/kernel/bootstrap.ts";
import { packEvents } from "../../packages/core/src/log/codec.ts";
import type { Batch } from "../../packages/core/src/table/batch.entity.ts";
import type { CompactedRow } from "../../packages/core/src/table/compacted.entity.ts";

/** One event of a small log: which key, and whether it deletes it. */
export type SmallEvent = { readonly key: "a" | "b"; readonly deletes: boolean };

const KEYS = ["a", "b"] as const;
const COMPACTORS = [0, 1] as const;
const ROOM = { events: 10, bytes: 1_000_000, rows: 10 };

type Run = { from: number; to: number; todo: number[] };
type Reader = {
  bootstrap: Bootstrap;
  scanned: number;
  ended: boolean;
  view: Partial<Record<string, number>>;
};

/** Everything that is stored or under way. Numbers in `items` are sequences, negative for deleted. */
type State = {
  appended: number;
  next: number;
  items: Partial<Record<string, number>>;
  runs: (Run | undefined)[];
  runsLeft: number;
  crashesLeft: number;
  reader: Reader | undefined;
  committed: Reader | undefined;
};

/**
 * Explores every order in which appends, two compactors, their puts, checkpoint moves and crashes,
 * and a reader's pages, commits and crashes can happen over one log. The decisions are the product's
 * own plan functions; only the store is made up: a put counts if it is newer, a move if nobody else
 * has moved. Answers how many states there are, and the first in which a promise is broken.
 */
export function explore(log: readonly SmallEvent[]): { states: number; violation?: string } {
  const rowsOf = planner(log);
  const first: State = {
    appended: 1,
    next: 1,
    items: {},
    runs: [undefined, undefined],
    runsLeft: 3,
    crashesLeft: 1,
    reader: undefined,
    committed: undefined,
  };
  const known = new Set([JSON.stringify(first)]);
  const open = [first];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const violation = check(log, state);
    if (violation !== undefined) return { states: known.size, violation };
    for (const next of successors(log, state, rowsOf)) {
      const name = JSON.stringify(next);
      if (known.has(name)) continue;
      known.add(name);
      open.push(next);
    }
  }
  return { states: known.size };
}

/** All logs of a length, up to the names of the keys. */
export function* smallLogs(length: number): Generator<SmallEvent[]> {
  const letters = KEYS.flatMap((key) => [false, true].map((deletes) => ({ key, deletes })));
  for (let number = 0; number < letters.length ** length; number++) {
    const log: SmallEvent[] = [];
    for (let rest = number; log.length < length; rest = Math.floor(rest / letters.length)) {
      log.push(letters[rest % letters.length] ?? { key: "a", deletes: false });
    }
    if (log[0]?.key === "a") yield log;
  }
}

type RowsOf = (from: number, to: number) => CompactedRow[];

/** The compacted rows of every stretch of a log, planned once by the product. */
function planner(log: readonly SmallEvent[]): RowsOf {
  const batches = log.map(({ key, deletes }, index): Batch => {
    const data = (deletes ? "null" : `${index + 1}`) as never;
    const packed = packEvents([{ attributes: { key }, data }]);
    return { first: index + 1, count: 1, batchId: new Uint8Array(16), publishedAt: 1, ...packed };
  });
  const planned = new Map<string, CompactedRow[]>();
  return (from, to) => {
    const name = `${from}-${to}`;
    const rows = planned.get(name) ?? [];
    if (!planned.has(name)) {
      const part = batches.slice(from - 1, to - 1);
      const stretch = extendStretch(emptyStretch(from), part, { keepKeys: true });
      rows.push(...planRows(stretch, { partition: 0, nowMs: 0 }));
      planned.set(name, rows);
    }
    return rows;
  };
}

function* successors(log: readonly SmallEvent[], state: State, rowsOf: RowsOf): Generator<State> {
  if (state.appended < log.length) yield { ...state, appended: state.appended + 1 };
  for (const index of COMPACTORS) yield* compactorSteps(state, index, rowsOf);
  yield* readerSteps(log, state, rowsOf);
}

function* compactorSteps(state: State, index: 0 | 1, rowsOf: RowsOf): Generator<State> {
  const run = state.runs[index];
  const put = (now: Run | undefined) => state.runs.with(index, now);
  const end = state.appended + 1;
  if (run === undefined) {
    if (state.runsLeft === 0 || state.next === end) return;
    const todo = rowsOf(state.next, end).map(({ sequence }) => sequence);
    const begun = { from: state.next, to: end, todo };
    yield { ...state, runs: put(begun), runsLeft: state.runsLeft - 1 };
    return;
  }
  if (state.crashesLeft > 0) {
    yield { ...state, runs: put(undefined), crashesLeft: state.crashesLeft - 1 };
  }
  for (const sequence of run.todo) {
    const row = rowsOf(run.from, run.to).find((each) => each.sequence === sequence);
    if (row === undefined) continue;
    const newer = Math.abs(state.items[row.key] ?? 0) < sequence;
    const items = newer
      ? { ...state.items, [row.key]: row.deleted ? -sequence : sequence }
      : state.items;
    const todo = run.todo.filter((each) => each !== sequence);
    yield { ...state, items, runs: put({ ...run, todo }) };
  }
  if (run.todo.length === 0) {
    const next = state.next === run.from ? run.to : state.next;
    yield { ...state, next, runs: put(undefined) };
  }
}

function* readerSteps(log: readonly SmallEvent[], state: State, rowsOf: RowsOf): Generator<State> {
  const { reader, committed } = state;
  if (reader === undefined) {
    const starts = [state.next];
    const scan = formatScan(0);
    const bootstrap = { run: "r", startedAt: 0, scan, starts, exactFrom: starts };
    yield { ...state, reader: { bootstrap, scanned: 0, ended: false, view: {} } };
    return;
  }
  if (reader.ended) return;
  yield { ...state, reader: readPage(log, state, reader, rowsOf) };
  if (reader.scanned > (committed?.scanned ?? 0)) yield { ...state, committed: reader };
  if (committed !== undefined && committed !== reader && state.crashesLeft > 0) {
    yield { ...state, reader: committed, crashesLeft: state.crashesLeft - 1 };
  }
}

/** One bucket, which holds one key; behind the last one the scan ends. */
function readPage(
  log: readonly SmallEvent[],
  state: State,
  reader: Reader,
  rowsOf: RowsOf,
): Reader {
  const key = KEYS[reader.scanned];
  if (key === undefined) {
    return { ...reader, ended: true, bootstrap: planScanEnd(reader.bootstrap, [state.next]) };
  }
  const sequence = Math.abs(state.items[key] ?? 0);
  const rows = sequence === 0 ? [] : rowsOf(sequence, sequence + 1);
  if (rows.some((row) => row.key !== log[sequence - 1]?.key)) throw new Error("the wrong row");
  const page = { rows, more: false };
  const plan = planScan(reader.bootstrap, reader.scanned, page, ROOM, { empty: true });
  const view = { ...reader.view };
  for (const row of plan.taken) view[row.key] = row.sequence;
  return { bootstrap: plan.bootstrap, scanned: reader.scanned + 1, ended: false, view };
}

/** The fold of the log below a position: the sequence of every live key. */
function foldOf(log: readonly SmallEvent[], next: number): Partial<Record<string, number>> {
  const fold: Partial<Record<string, number>> = {};
  log.slice(0, next - 1).forEach(({ key, deletes }, index) => {
    if (deletes) delete fold[key];
    else fold[key] = index + 1;
  });
  return fold;
}

function check(log: readonly SmallEvent[], { next, items, reader }: State): string | undefined {
  const compacted = foldOf(log, next);
  for (const key of KEYS) {
    const item = items[key] ?? 0;
    const live = compacted[key];
    if (live !== undefined && Math.abs(item) < live) return `${key} is behind the checkpoint`;
    if (live === undefined && item > 0 && item < next) return `${key} has risen again`;
  }
  if (reader?.ended !== true) return undefined;
  const view = { ...reader.view };
  const start = reader.bootstrap.starts[0] ?? 1;
  for (let at = start; at <= log.length + 1; at++) {
    if (at >= (reader.bootstrap.exactFrom[0] ?? 1) && !same(view, foldOf(log, at))) {
      return `at ${at} the view is ${JSON.stringify(view)}`;
    }
    const event = log[at - 1];
    if (event === undefined) break;
    if ((view[event.key] ?? 0) >= at) return `${event.key} falls to ${at}`;
    if (event.deletes) delete view[event.key];
    else view[event.key] = at;
  }
  return undefined;
}

const same = (a: Partial<Record<string, number>>, b: Partial<Record<string, number>>): boolean =>
  KEYS.every((key) => a[key] === b[key]);
