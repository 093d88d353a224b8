import { planRows } from "../../../packages/core/src/compaction/compaction-plan.ts";
import {
  emptySection,
  extendSection,
  planSafePoint,
  type Section,
} from "../../../packages/core/src/compaction/section.ts";
import { entryOf, packEvents } from "../../../packages/core/src/log/codec.ts";
import type { Batch } from "../../../packages/core/src/table/batch.ts";
import type { CompactedRow } from "../../../packages/core/src/table/compacted-row.ts";

/** One event of a small log: its key, and whether it deletes the key. */
export type SmallEvent = { readonly key: "a" | "b"; readonly deletes: boolean };

/** The keys. Each is in its own bucket, in this order. */
export const KEYS = ["a", "b"] as const;

/** A log, and the product's plans for it. */
export type SmallLog = {
  readonly events: readonly SmallEvent[];
  readonly sectionOf: (from: number, to: number) => Section;
  /** Returns the compacted rows of a section. */
  readonly rowsOf: (from: number, to: number) => readonly CompactedRow[];
  /** The fold of the log below each position: a sequence for each key, 0 for none. */
  readonly folds: readonly (readonly number[])[];
};

/** Returns the first sequence after a log. */
export const endOf = ({ events }: SmallLog): number => events.length + 1;

/** Every possible state of the stored rows and the compactors, numbered. The first is 0. */
export type StoreGraph = {
  readonly size: number;
  readonly violation: string | undefined;
  next(store: number): number;
  /** Returns the sequence of a key's compacted row, negative for a tombstone, 0 for none. */
  item(store: number, key: number): number;
  crashesLeft(store: number): number;
  /** Returns the states that one step of an append or a compactor leads to. */
  after(store: number): readonly number[];
  /** Returns the state after one crash of the reader. */
  afterReaderCrash(store: number): number;
};

/**
 * A run of a compactor. `at` is where it believes the checkpoint to be. `put` has a bit for each
 * row that it has put.
 */
type Run = {
  readonly from: number;
  readonly at: number;
  readonly to: number;
  readonly put: number;
};

type Store = {
  readonly appended: number;
  readonly next: number;
  readonly items: readonly number[];
  readonly runs: readonly (Run | undefined)[];
  readonly runsLeft: number;
  readonly crashesLeft: number;
};

const COMPACTORS = [0, 1] as const;
const RUNS = 3;
const CRASHES = 1;

/** Plans every section of a log once. */
export function planLog(events: readonly SmallEvent[]): SmallLog {
  const batches = events.map(({ key, deletes }, index): Batch => {
    const data = (deletes ? "null" : `${index + 1}`) as never;
    const packed = packEvents([entryOf({ attributes: { key }, data })]);
    return { first: index + 1, count: 1, batchId: new Uint8Array(16), publishedAt: 1, ...packed };
  });
  const sectionOf = once((from, to) =>
    extendSection(emptySection(from), batches.slice(from - 1, to - 1), { keepKeys: true }),
  );
  const rowsOf = once((from, to) => [...planRows(sectionOf(from, to), { partition: 0, nowMs: 0 })]);
  const folds = [KEYS.map(() => 0), KEYS.map(() => 0)];
  for (const [index, { key, deletes }] of events.entries()) {
    folds.push((folds.at(-1) ?? []).with(KEYS.indexOf(key), deletes ? 0 : index + 1));
  }
  return { events, sectionOf, rowsOf, folds };
}

function once<T>(plan: (from: number, to: number) => T) {
  const planned = new Map<number, T>();
  return (from: number, to: number): T => {
    const number = from * 16 + to;
    const known = planned.get(number) ?? plan(from, to);
    planned.set(number, known);
    return known;
  };
}

export function exploreStores(log: SmallLog): StoreGraph {
  const stores: Store[] = [];
  const numbers = new Map<number, number>();
  const numberOf = (store: Store): number => {
    const name = nameOf(store);
    const number = numbers.get(name) ?? stores.push(store) - 1;
    numbers.set(name, number);
    return number;
  };
  const crashed = (store: Store): Store => ({ ...store, crashesLeft: store.crashesLeft - 1 });
  numberOf({
    appended: 1,
    next: 1,
    items: KEYS.map(() => 0),
    runs: [undefined, undefined],
    runsLeft: RUNS,
    crashesLeft: CRASHES,
  });
  const after: number[][] = [];
  const afterReaderCrash: number[] = [];
  let violation: string | undefined;
  for (let number = 0; number < stores.length; number++) {
    const store = stores[number] as Store;
    violation ??= check(log, store);
    after.push([...new Set([...successors(log, store)].map(numberOf))]);
    afterReaderCrash.push(store.crashesLeft > 0 ? numberOf(crashed(store)) : number);
  }
  const at = (number: number) => stores[number] as Store;
  return {
    size: stores.length,
    violation,
    next: (number) => at(number).next,
    item: (number, key) => at(number).items[key] ?? 0,
    crashesLeft: (number) => at(number).crashesLeft,
    after: (number) => after[number] ?? [],
    afterReaderCrash: (number) => afterReaderCrash[number] ?? number,
  };
}

/**
 * Returns a number for every state. States that differ only in the order of the compactors have the
 * same number.
 */
function nameOf({ appended, next, items, runs, runsLeft, crashesLeft }: Store): number {
  const [low = 0, high = 0] = runs
    .map((run) => (run === undefined ? 0 : digits(8, run.from, run.at, run.to, run.put)))
    .sort((a, b) => a - b);
  const small = digits(16, appended, next, ...items.map((item) => item + 8), runsLeft, crashesLeft);
  return (small * 8 ** 4 + low) * 8 ** 4 + high;
}

const digits = (base: number, ...numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum * base + number, 0);

function* successors(log: SmallLog, store: Store): Generator<Store> {
  if (store.appended < log.events.length) yield { ...store, appended: store.appended + 1 };
  for (const index of COMPACTORS) yield* compactorSteps(log, store, index);
}

function* compactorSteps(log: SmallLog, store: Store, index: 0 | 1): Generator<Store> {
  const { next, runsLeft, crashesLeft } = store;
  const run = store.runs[index];
  const become = (now: Run | undefined) => store.runs.with(index, now);
  if (run === undefined) {
    const to = store.appended + 1;
    if (runsLeft === 0 || next === to) return;
    yield { ...store, runs: become({ from: next, at: next, to, put: 0 }), runsLeft: runsLeft - 1 };
    return;
  }
  if (crashesLeft > 0) yield { ...store, runs: become(undefined), crashesLeft: crashesLeft - 1 };
  const rows = log.rowsOf(run.from, run.to);
  for (const [place, row] of rows.entries()) {
    if ((run.put & (1 << place)) !== 0) continue;
    const key = KEYS.indexOf(row.key as SmallEvent["key"]);
    const isNewer = Math.abs(store.items[key] ?? 0) < row.sequence;
    const item = row.deleted ? -row.sequence : row.sequence;
    const items = isNewer ? store.items.with(key, item) : store.items;
    yield { ...store, items, runs: become({ ...run, put: run.put | (1 << place) }) };
  }
  const moved = next === run.at;
  for (const to of safePoints(log, run, rows.length)) {
    if (moved) yield { ...store, next: to, runs: become({ ...run, at: to }) };
    else yield { ...store, runs: become(undefined) };
  }
  if (run.put === 2 ** rows.length - 1) {
    yield { ...store, next: moved ? run.to : next, runs: become(undefined) };
  }
}

/**
 * Returns where a run may move the checkpoint in between, according to the rows that it has put now
 * or earlier.
 */
function safePoints(log: SmallLog, { from, at, to, put }: Run, rows: number): Set<number> {
  const section = log.sectionOf(from, to);
  const found = new Set<number>();
  for (let count = 0; count <= rows; count++) {
    const { to: place = 0 } = planSafePoint(section, count) ?? {};
    if (place > at) found.add(place);
    if ((put & (1 << count)) === 0) break;
  }
  return found;
}

function check({ folds }: SmallLog, { next, items }: Store): string | undefined {
  for (const [key, name] of KEYS.entries()) {
    const item = items[key] ?? 0;
    const live = folds[next]?.[key] ?? 0;
    if (live > 0 && Math.abs(item) < live) return `${name} lags the checkpoint`;
    if (live === 0 && item > 0 && item < next) return `${name} has risen again`;
  }
  return undefined;
}
