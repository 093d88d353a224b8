import type { SeededRandom } from "./seeded-random.ts";
import { newest, type Row, type Version } from "./table.ts";
import type { Tally } from "./tally.ts";

/** Which version of a row one read sees. */
export type View = (row: Row | undefined) => Version;

export type ViewDeps = {
  readonly nowMs: () => number;
  readonly random: SeededRandom;
  readonly tally: Tally;
  /** How old an eventually consistent read may be; 0 for never. */
  readonly staleMs: number;
};

/** Eventually consistent: for each item on its own, any version current within the window. */
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
 * Strongly consistent, but read row by row while time passes: a page is no snapshot. A later row
 * is read at a later moment, none before the request arrived.
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

/** The versions that were current at some moment after that one. */
const currentSince = (row: Row | undefined, sinceMs: number): readonly Version[] => {
  if (row === undefined) return [];
  const { versions } = row;
  let first = versions.length - 1;
  while (first > 0 && (versions[first]?.atMs ?? 0) > sinceMs) first -= 1;
  return first === 0 ? versions : versions.slice(first);
};
