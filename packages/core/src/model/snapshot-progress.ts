import type { Position } from "./position.ts";

/**
 * The progress of one bootstrap. It is part of cursors and of the committed offset, so that a
 * consumer continues with the same snapshot after a crash.
 */
export type Bootstrap = {
  /** The id of this snapshot. Pages of two snapshots must never be mixed. */
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The stored form of a {@link Scan} of the compacted state. Sorts by progress. */
  readonly scan: string;
  /** By partition, the first sequence after the checkpoint. The log continues there. */
  readonly starts: readonly number[];
  /**
   * The position from which on the folded state is exact, per partition. This is one more than the
   * highest sequence seen so far, newer items and tombstones included. It is final once the scan
   * has ended.
   */
  readonly exactFrom: readonly number[];
  /**
   * Only in a list that is read in parts: the bucket before which this part ends, or 0 in the
   * cursor that follows all of them.
   */
  readonly until?: number;
  /**
   * Present if the snapshot is only of the keys that changed since a cursor. The `startedAt` of the
   * bootstrap is then 0, so that an earlier version refuses to go on with it as a snapshot of all
   * keys.
   */
  readonly difference?: Difference;
};

/** What a snapshot of changed keys follows, and when it began, in milliseconds since 1970. */
export type Difference = {
  /** By partition, the position of the cursor. Later partitions are read whole. */
  readonly since: readonly Position[];
  readonly startedAt: number;
};

/** The number of item collections of a stream's compacted state. They are scanned in order. */
export const COMPACTED_BUCKETS = 16;

/** The states of a scan, in this order. */
export type Scan =
  /** A snapshot is requested, but not delivered so far. The next poll takes a new snapshot. */
  | { readonly state: "pending" }
  /** In `bucket`, after the key `after`, or at the bucket's beginning. */
  | { readonly state: "reading"; readonly bucket: number; readonly after?: string | undefined }
  /** In the changes of `partition`, at the sequence `next`. */
  | { readonly state: "changes"; readonly partition: number; readonly next: number }
  /** Every bucket has been read. */
  | { readonly state: "ended" };

const PENDING = "-";
const ENDED = String(COMPACTED_BUCKETS);

export const pendingBootstrap: Bootstrap = {
  run: "",
  startedAt: 0,
  scan: PENDING,
  starts: [],
  exactFrom: [],
};

/** A snapshot of the keys that changed since a cursor, of which nothing is delivered so far. */
export const pendingDifference = (since: readonly Position[]): Bootstrap => ({
  ...pendingBootstrap,
  scan: formatScan(0),
  difference: { since, startedAt: 0 },
});

/**
 * Returns the stored form of a scan in this bucket. The end of the last bucket is the end of the
 * scan.
 */
export const formatScan = (bucket: number, after?: string): string =>
  `${String(bucket).padStart(2, "0")}${after === undefined ? "" : `#${after}`}`;

/** Returns the stored form of a scan that has read this bucket: the next one, or the end. */
export const formatScanAfter = (
  bucket: number,
  { until = COMPACTED_BUCKETS }: Pick<Bootstrap, "until">,
): string => formatScan(bucket + 1 < until ? bucket + 1 : COMPACTED_BUCKETS);

/**
 * Returns the stored form of a scan of changes, in a partition at a sequence. It sorts before
 * `ENDED`.
 */
export const formatChangeScan = (partition: number, next: number): string =>
  `00@${String(partition).padStart(5, "0")}#${String(next).padStart(14, "0")}`;

const CHANGE_SCAN = /^00@(\d{5})#(\d{14})$/;

/**
 * Parses the stored form: `-`, then `00`, `00#key`, ... `15#key`, then `16`. A scan of changes is
 * `00@partition#sequence`.
 */
export function scanOf({ scan, run, difference }: ScanPart): Scan {
  if (scan === PENDING || (difference !== undefined && run === "")) return { state: "pending" };
  if (scan === ENDED) return { state: "ended" };
  const [, partition, next] = CHANGE_SCAN.exec(scan) ?? [];
  if (partition !== undefined) {
    return { state: "changes", partition: Number(partition), next: Number(next) };
  }
  const after = scan.length > 2 ? scan.slice(3) : undefined;
  return { state: "reading", bucket: Number(scan.slice(0, 2)), after };
}

type ScanPart = Pick<Bootstrap, "scan"> & Partial<Pick<Bootstrap, "run" | "difference">>;

export const isPending = (bootstrap: Bootstrap): boolean => scanOf(bootstrap).state === "pending";

/** Returns whether every bucket has been read. The log follows after that. */
export const isScanned = (bootstrap: Bootstrap): boolean => scanOf(bootstrap).state === "ended";

/** Returns how many parts of a snapshot have been read whole: buckets, or partitions of changes. */
export function partsOf(bootstrap: Bootstrap): { partsRead: number; parts: number } {
  const scan = scanOf(bootstrap);
  const parts =
    bootstrap.difference === undefined
      ? COMPACTED_BUCKETS
      : Math.max(1, bootstrap.exactFrom.length, bootstrap.difference.since.length);
  if (scan.state === "reading") return { partsRead: scan.bucket, parts };
  if (scan.state === "changes") return { partsRead: scan.partition, parts };
  return { partsRead: scan.state === "ended" ? parts : 0, parts };
}

/**
 * Returns where the log continues after a snapshot, by partition. A difference from a cursor that
 * is ahead of compaction continues at the cursor.
 */
export const positionsAfter = ({ starts, difference }: Bootstrap): Position[] =>
  starts.map((batch, partition) => ({
    batch,
    next: Math.max(batch, difference?.since[partition]?.next ?? 0),
  }));

/** Returns when a bootstrap began, in milliseconds since 1970. */
export const begunAt = ({
  startedAt,
  difference,
}: Pick<Bootstrap, "startedAt" | "difference">): number => difference?.startedAt ?? startedAt;

/** Returns whether everything that the snapshot left out has been read from the log by now. */
export const isExact = (
  bootstrap: Bootstrap | undefined,
  positions: readonly ({ readonly next: number } | undefined)[],
): boolean =>
  bootstrap === undefined ||
  (isScanned(bootstrap) &&
    bootstrap.exactFrom.every((from, partition) => (positions[partition]?.next ?? 0) >= from));
