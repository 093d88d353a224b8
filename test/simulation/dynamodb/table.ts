import { itemBytes } from "./item-size.ts";
import { type Key, keyId } from "./key.ts";
import { compareUtf8 } from "./order.ts";
import type { Item } from "./value.ts";

/** The content of a key from `atMs` until the next version. No item means that it was absent. */
export type Version = {
  readonly atMs: number;
  readonly item: Item | undefined;
  /** The size of the item for limits and capacity, 0 when absent. */
  readonly bytes: number;
};

/** A key and its versions, oldest first. There is at least one version. */
export type Row = { readonly key: Key; versions: readonly Version[] };

/** The rows of one partition key, in order of their sort keys. */
export type Partition = { readonly sks: string[]; readonly rows: Map<string, Row> };

export type Table = {
  readonly row: (key: Key) => Row | undefined;
  readonly partition: (pk: string) => Partition | undefined;
  /** Returns every key that has an item now, in the order of their first writes. */
  readonly current: () => Iterable<Row>;
  /** Makes this the newest version. Without an item, it deletes. */
  readonly write: (key: Key, item: Item | undefined) => void;
};

/** Returns the newest version of a row, which a strongly consistent read sees. */
export const newest = (row: Row | undefined): Version => row?.versions.at(-1) ?? absent;

/**
 * The items, with as much of their history as reads may still see.
 * @param keepMs how long a version is kept after it is superseded
 */
export const createTable = (nowMs: () => number, keepMs: number): Table => {
  const partitions = new Map<string, Partition>();
  const gone: { readonly atMs: number; readonly row: Row }[] = [];

  const row = ({ pk, sk }: Key): Row | undefined => partitions.get(pk)?.rows.get(sk);

  const forgetGone = (): void => {
    for (;;) {
      const [oldest] = gone;
      if (oldest === undefined || oldest.atMs + keepMs > nowMs()) return;
      gone.shift();
      const { key } = oldest.row;
      const still = row(key) === oldest.row && newest(oldest.row).item === undefined;
      if (still && newest(oldest.row).atMs === oldest.atMs) remove(partitions, key);
    }
  };

  const write = (key: Key, item: Item | undefined): void => {
    const existing = row(key);
    if (existing === undefined && item === undefined) return;
    const target = existing ?? insert(partitions, key);
    const atMs = nowMs();
    const bytes = item === undefined ? 0 : itemBytes(item);
    const past = keepMs === 0 ? [] : remembered(target.versions, atMs - keepMs);
    target.versions = [...past, { atMs, item, bytes }];
    if (item !== undefined) return;
    if (keepMs === 0) remove(partitions, key);
    else gone.push({ atMs, row: target });
    forgetGone();
  };

  return {
    row,
    write,
    partition: (pk) => partitions.get(pk),
    current: function* () {
      for (const { rows } of partitions.values()) {
        for (const each of rows.values()) if (newest(each).item !== undefined) yield each;
      }
    },
  };
};

const absent: Version = { atMs: Number.NEGATIVE_INFINITY, item: undefined, bytes: 0 };

/** Returns the versions that were still current at some moment since then. */
const remembered = (versions: readonly Version[], sinceMs: number): readonly Version[] =>
  versions.filter((_, index) => {
    const until = versions[index + 1]?.atMs;
    return until === undefined || until > sinceMs;
  });

const insert = (partitions: Map<string, Partition>, key: Key): Row => {
  const partition = partitions.get(key.pk) ?? { sks: [], rows: new Map() };
  partitions.set(key.pk, partition);
  const row: Row = { key, versions: [absent] };
  partition.sks.splice(lowerBound(partition.sks, key.sk), 0, key.sk);
  partition.rows.set(key.sk, row);
  return row;
};

const remove = (partitions: Map<string, Partition>, key: Key): void => {
  const partition = partitions.get(key.pk);
  if (partition?.rows.delete(key.sk) !== true) throw new Error(`no such row: ${keyId(key)}`);
  partition.sks.splice(lowerBound(partition.sks, key.sk), 1);
  if (partition.sks.length === 0) partitions.delete(key.pk);
};

/** Returns the index of the first key that is not below this one. */
export const lowerBound = (sks: readonly string[], sk: string): number =>
  firstIndex(sks, (each) => compareUtf8(each, sk) >= 0);

/** Returns the index of the first key that has a property which all later keys then have too. */
export const firstIndex = (sks: readonly string[], holds: (sk: string) => boolean): number => {
  let [low, high] = [0, sks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sks[middle] as string)) high = middle;
    else low = middle + 1;
  }
  return low;
};
