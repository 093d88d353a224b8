import { writeUnits } from "./capacity.ts";
import { type Key, keyId } from "./key.ts";
import { equal } from "./order.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { createTable, newest, type Table } from "./table.ts";
import { createTableStream, type TableStream } from "./table-stream.ts";
import { createTally, type Tally } from "./tally.ts";
import type { Item } from "./value.ts";
import { scanningView, staleView, type View } from "./view.ts";

/** The state of the store, and what every operation on it needs. */
export type Engine = {
  readonly table: Table;
  readonly stream: TableStream;
  readonly tally: Tally;
  readonly random: SeededRandom;
  readonly nowMs: () => number;
  /** The keys inside transactions that have started and not finished. */
  readonly locks: Set<string>;
  /** Returns which version a read sees. A consistent read that began earlier reads row by row. */
  view(consistent: boolean, startedMs?: number): View;
  /** Makes the item the newest version and writes the stream record. Returns the write units. */
  write(key: Key, item: Item | undefined): number;
  /**
   * Returns, in seeded order, which part of a batch is executed now. It is less than all when the
   * batch is partial.
   */
  split<T>(batch: readonly T[], partial: boolean): Split<T>;
};

type Split<T> = { readonly now: readonly T[]; readonly later: readonly T[] };

export type EngineOptions = {
  readonly nowMs: () => number;
  readonly random: SeededRandom;
  readonly staleMs: number;
  readonly scanMs: number;
};

export const createEngine = ({ nowMs, random, staleMs, scanMs }: EngineOptions): Engine => {
  const table = createTable(nowMs, Math.max(staleMs, scanMs));
  const stream = createTableStream(random.fork("stream"), nowMs);
  const tally = createTally();

  return {
    table,
    stream,
    tally,
    random,
    nowMs,
    locks: new Set(),
    view: (consistent, startedMs = nowMs()) => {
      const deps = { nowMs, random, tally, staleMs };
      if (!consistent) tally.add("read.eventual");
      if (!consistent) return staleView(deps);
      return startedMs < nowMs() ? scanningView(deps, startedMs) : newest;
    },
    write: (key, item) => {
      const before = newest(table.row(key));
      table.write(key, item);
      if (!equal(before.item, item)) stream.record(key, before.item, item);
      return writeUnits(before.bytes, newest(table.row(key)).bytes);
    },
    split: (batch, partial) => {
      const size = partial ? random.between(0, batch.length - 1) : batch.length;
      const mixed = random.shuffle(batch);
      return { now: mixed.slice(0, size), later: mixed.slice(size) };
    },
  };
};

/** Returns whether a key is inside a running transaction. */
export const isLocked = ({ locks }: Engine, key: Key): boolean =>
  locks.size > 0 && locks.has(keyId(key));
