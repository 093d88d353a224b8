import type { CompactedRow, Version } from "./compacted-row.ts";

/** What a row says about the versions of its key. */
export type Versions = Pick<CompactedRow, "sequence" | "rawBytes" | "formerBytes" | "between">;

/** Two runs that meet leave one or two. More say that something goes wrong again and again. */
const BETWEEN_MAX = 40;

/**
 * Returns the size of the last version of a key below `next`, a place at which its checkpoint is or
 * was. 0 without a row. Undefined if the row does not say it: a run of an earlier version of the
 * product put it. Pure.
 */
export function sizeBelow(row: Versions | undefined, next: number): number | undefined {
  if (row === undefined) return 0;
  if (row.sequence < next) return row.rawBytes;
  return row.between?.findLast(([sequence]) => sequence < next)?.[1] ?? row.formerBytes;
}

export type VersionsPlan = Pick<CompactedRow, "formerBytes" | "between"> & {
  /** The row that is put is newer than the stored one and replaces its content. */
  readonly isNewer: boolean;
};

/**
 * Plans a put over a stored row whose version the checkpoint, which is at `next`, has not passed. A
 * different run has put it. The row keeps the versions of both runs, because either may move the
 * checkpoint. Undefined when the row has them all. Pure.
 */
export function planVersions(
  stored: Versions,
  row: Versions,
  next: number,
): VersionsPlan | undefined {
  const isNewer = row.sequence > stored.sequence;
  const known = versionsOf(stored);
  const missing = versionsOf(row).filter(([own]) => known.every(([sequence]) => sequence !== own));
  if (missing.length === 0) return undefined;
  if (stored.formerBytes === undefined) return isNewer ? { isNewer } : undefined;
  const former = [...known, ...missing].sort(([a], [b]) => a - b).slice(0, -1);
  const between = former.filter(([sequence]) => sequence >= next);
  if (between.length > BETWEEN_MAX) return { isNewer };
  const [, formerBytes] = former.findLast(([sequence]) => sequence < next) ?? [
    0,
    stored.formerBytes,
  ];
  return { isNewer, formerBytes, between };
}

const versionsOf = ({ sequence, rawBytes, between = [] }: Versions): Version[] => [
  ...between,
  [sequence, rawBytes],
];
