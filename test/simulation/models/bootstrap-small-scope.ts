import { type Bootstrap, formatScan } from "../../../packages/core/src/model/snapshot-progress.ts";
import { planScan, planScanEnd } from "../../../packages/core/src/snapshot/scan-plan.ts";
import {
  endOf,
  exploreStores,
  KEYS,
  planLog,
  type SmallEvent,
  type SmallLog,
  type StoreGraph,
} from "./bootstrap-small-stores.ts";

const ROOM = { events: 10, bytes: 1_000_000, rows: 10 };

/** A bootstrap in progress. Its view has a sequence for each key, 0 for none. */
type Reader = {
  readonly bootstrap: Bootstrap;
  /** The number of buckets that it has read. Each bucket holds one key. */
  readonly scanned: number;
  readonly view: readonly number[];
};

/** A reader and its committed state, each by its number. 0 means none. */
type Pair = { readonly reader: number; readonly committed: number };

/**
 * Explores every order in which appends, two compactors, their puts, checkpoint moves and crashes,
 * and a reader's pages, commits and crashes can happen over one log. The decisions are the
 * product's own plan functions. Only the store is simulated: a put counts if it is newer, and a
 * move if no other has moved. Returns the number of states, and the first in which a promise is
 * broken.
 *
 * The store does not depend on the reader, so the store's states are explored first. The two
 * compactors are interchangeable. The committed state of a reader is dropped once no crash can
 * follow, and the reader itself once its scan has ended correctly.
 */
export function explore(events: readonly SmallEvent[]): { states: number; violation?: string } {
  const log = planLog(events);
  const stores = exploreStores(log);
  if (stores.violation !== undefined) return { states: stores.size, violation: stores.violation };
  try {
    return { states: countStates(stores, createReaders(log, stores)) };
  } catch (error) {
    if (error instanceof Broken) return { states: stores.size, violation: error.message };
    throw error;
  }
}

/** Yields all logs of a length. */
export function* smallLogs(length: number): Generator<SmallEvent[]> {
  const letters = KEYS.flatMap((key) => [false, true].map((deletes) => ({ key, deletes })));
  for (let number = 0; number < letters.length ** length; number++) {
    const log: SmallEvent[] = [];
    for (let rest = number; log.length < length; rest = Math.floor(rest / letters.length)) {
      log.push(letters[rest % letters.length] ?? { key: "a", deletes: false });
    }
    yield log;
  }
}

class Broken extends Error {
  override readonly name = "Broken";
}

/** Counts the combinations of every store state with every pair that can occur in it. */
function countStates(stores: StoreGraph, readers: ReturnType<typeof createReaders>): number {
  /** For each pair, the store states in which it occurred, as one bit each. */
  const known: Uint32Array[] = [];
  const open: number[] = [];
  let states = 0;
  const meet = (store: number, pair: number): void => {
    const at = stores.crashesLeft(store) === 0 ? readers.withoutCommitted(pair) : pair;
    known[at] ??= new Uint32Array((stores.size >> 5) + 1);
    const bits = known[at];
    const word = bits[store >> 5] as number;
    if (((word >>> (store & 31)) & 1) === 1) return;
    bits[store >> 5] = word | (1 << (store & 31));
    states++;
    open.push(store, at);
  };
  meet(0, 0);
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const store = open.pop() as number;
    for (const next of stores.after(store)) meet(next, pair);
    if (readers.isEnded(pair)) continue;
    meet(store, readers.read(pair, store));
    if (stores.crashesLeft(store) === 0) continue;
    meet(store, readers.commit(pair));
    const crashed = readers.crash(pair);
    if (crashed !== undefined) meet(stores.afterReaderCrash(store), crashed);
  }
  return states;
}

/**
 * The pairs of one log, numbered in order of occurrence. 0 is the beginning, and 1 is a scan that
 * ended correctly.
 */
function createReaders(log: SmallLog, stores: StoreGraph) {
  const readers: (Reader | undefined)[] = [undefined];
  const pairs: Pair[] = [
    { reader: 0, committed: 0 },
    { reader: -1, committed: 0 },
  ];
  const numbers = new Map<string, number>();
  const numberOf = <T>(list: T[], item: T): number => {
    const name = JSON.stringify(item);
    const number = numbers.get(name) ?? list.push(item) - 1;
    numbers.set(name, number);
    return number;
  };
  const pairOf = (reader: number, committed: number): number =>
    reader + committed === 0 ? 0 : numberOf(pairs, { reader, committed });
  const readerOf = (pair: number) => readers[pairs[pair]?.reader ?? 0];
  const committedOf = (pair: number) => pairs[pair]?.committed ?? 0;

  /** Returns what a page depends on: the stored item, or the position of the checkpoint. */
  const sight = (pair: number, store: number): number => {
    const reader = readerOf(pair);
    if (reader === undefined || reader.scanned === KEYS.length) return stores.next(store);
    return stores.item(store, reader.scanned) + 8;
  };
  const pages: number[][] = [];
  const bare: number[] = [];

  return {
    isEnded: (pair: number) => pair === 1,
    /** The reader begins, reads a bucket, or ends its scan. */
    read(pair: number, store: number): number {
      const seen = sight(pair, store);
      pages[pair] ??= [];
      const known = pages[pair];
      const reader = readerOf(pair);
      const answer = () => {
        if (reader?.scanned !== KEYS.length) {
          const after = reader === undefined ? begin(seen) : readPage(log, reader, seen - 8);
          return pairOf(numberOf(readers, after), committedOf(pair));
        }
        assertExact(log, { ...reader, bootstrap: planScanEnd(reader.bootstrap, [seen]) });
        return 1;
      };
      known[seen] ??= answer();
      return known[seen];
    },
    commit(pair: number): number {
      const { reader, committed } = pairs[pair] as Pair;
      const further = (readerOf(pair)?.scanned ?? 0) > (readers[committed]?.scanned ?? 0);
      return further ? pairOf(reader, reader) : pair;
    },
    /** Returns the state in which the reader continues from what it has committed, if anything. */
    crash(pair: number): number | undefined {
      const { reader, committed } = pairs[pair] as Pair;
      return committed === 0 || committed === reader ? undefined : pairOf(committed, committed);
    },
    withoutCommitted(pair: number): number {
      bare[pair] ??= pair === 1 ? 1 : pairOf((pairs[pair] as Pair).reader, 0);
      return bare[pair];
    },
  };
}

const begin = (next: number): Reader => ({
  bootstrap: { run: "r", startedAt: 0, scan: formatScan(0), starts: [next], exactFrom: [next] },
  scanned: 0,
  view: KEYS.map(() => 0),
});

/** Reads one bucket, which holds one key. */
function readPage({ events, rowsOf }: SmallLog, reader: Reader, item: number): Reader {
  const sequence = Math.abs(item);
  const rows = sequence === 0 ? [] : rowsOf(sequence, sequence + 1);
  const key = KEYS[reader.scanned];
  if (rows.some((row) => row.key !== key || row.key !== events[sequence - 1]?.key))
    throw new Error("the wrong row");
  const page = { rows, more: false };
  const plan = planScan(reader.bootstrap, { ...page, bucket: reader.scanned }, ROOM, {
    empty: true,
  });
  const taken = plan.taken.at(0)?.sequence ?? 0;
  const { bootstrap, scanned, view } = { ...reader, bootstrap: plan.bootstrap };
  return { bootstrap, scanned: scanned + 1, view: view.with(reader.scanned, taken) };
}

/** Reads on from a finished scan to the end of the log. Throws Broken when a promise is broken. */
function assertExact(log: SmallLog, { bootstrap, view: scanned }: Reader): void {
  const view = [...scanned];
  const [exactFrom = 1] = bootstrap.exactFrom;
  for (let at = bootstrap.starts[0] ?? 1; at <= endOf(log); at++) {
    const fold = log.folds[at] ?? [];
    if (at >= exactFrom && view.some((sequence, key) => sequence !== fold[key])) {
      throw new Broken(`at ${at} the view is ${view}`);
    }
    const event = log.events[at - 1];
    if (event === undefined) return;
    const key = KEYS.indexOf(event.key);
    if ((view[key] ?? 0) >= at) throw new Broken(`${event.key} falls to ${at}`);
    view[key] = event.deletes ? 0 : at;
  }
}
