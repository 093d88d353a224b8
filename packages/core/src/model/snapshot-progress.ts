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
};

/** The number of item collections of a stream's compacted state. They are scanned in order. */
export const COMPACTED_BUCKETS = 16;

/** The states of a scan, in this order. */
export type Scan =
  /** A snapshot is requested, but not delivered so far. The next poll takes a new snapshot. */
  | { readonly state: "pending" }
  /** In `bucket`, after the key `after`, or at the bucket's beginning. */
  | { readonly state: "reading"; readonly bucket: number; readonly after?: string | undefined }
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

/** Parses the stored form: `-`, then `00`, `00#key`, ... `15#key`, then `16`. */
export function scanOf({ scan }: Pick<Bootstrap, "scan">): Scan {
  if (scan === PENDING) return { state: "pending" };
  if (scan === ENDED) return { state: "ended" };
  const after = scan.length > 2 ? scan.slice(3) : undefined;
  return { state: "reading", bucket: Number(scan.slice(0, 2)), after };
}

export const isPending = (bootstrap: Bootstrap): boolean => scanOf(bootstrap).state === "pending";

/** Returns whether every bucket has been read. The log follows after that. */
export const isScanned = (bootstrap: Bootstrap): boolean => scanOf(bootstrap).state === "ended";

/** Counts the buckets that have been read whole. */
export function bucketsRead(bootstrap: Bootstrap): number {
  const scan = scanOf(bootstrap);
  if (scan.state === "reading") return scan.bucket;
  return scan.state === "ended" ? COMPACTED_BUCKETS : 0;
}

/** Returns whether everything that the snapshot left out has been read from the log by now. */
export const isExact = (
  bootstrap: Bootstrap | undefined,
  positions: readonly ({ readonly next: number } | undefined)[],
): boolean =>
  bootstrap === undefined ||
  (isScanned(bootstrap) &&
    bootstrap.exactFrom.every((from, partition) => (positions[partition]?.next ?? 0) >= from));
