import type { SeededRandom } from "./seeded-random.ts";
import { newest, type Row, type Version } from "./table.ts";
import type { Tally } from "./tally.ts";

/** Returns which version of a row a read sees. */
export type View = (row: Row | undefined) => Version;

export type ViewDeps = {
  readonly nowMs: () => number;
  readonly random: SeededRandom;
  readonly tally: Tally;
  /** The maximum age of an eventually consistent read. With 0, reads are never stale. */
  readonly staleMs: number;
};

/**
 * An eventually consistent view: for each item separately, any version that was current within the
 * window.
 */
export const staleView = ({ nowMs, random, tally, staleMs }: ViewDeps): View => {
  if (staleMs === 0) return newest;
  const sinceMs = nowMs() - staleMs;
  return (row) => {
    const versions = currentSince(row, sinceMs);
    if (versions.length < 2) return newest(row);
    const seen = random.pick(versions);
    if (seen !== newest(row)) tally.add("read.stale");
    return seen;
  };
};

/**
 * A strongly consistent view in which rows are read one by one while time passes, so that a page is
 * not a snapshot. A later row is read at a later moment, and none before the request arrived.
 */
export const scanningView = ({ nowMs, random, tally }: ViewDeps, startedMs: number): View => {
  let readAtMs = startedMs;
  return (row) => {
    const versions = currentSince(row, readAtMs);
    if (versions.length < 2) return newest(row);
    readAtMs += (nowMs() - readAtMs) * random.fraction();
    const seen = versions.findLast(({ atMs }) => atMs <= readAtMs) ?? newest(row);
    if (seen !== newest(row)) tally.add("read.torn");
    return seen;
  };
};

/** Returns the versions that were current at some moment after that one. */
const currentSince = (row: Row | undefined, sinceMs: number): readonly Version[] => {
  if (row === undefined) return [];
  const { versions } = row;
  let first = versions.length - 1;
  while (first > 0 && (versions[first]?.atMs ?? 0) > sinceMs) first -= 1;
  return first === 0 ? versions : versions.slice(first);
};
