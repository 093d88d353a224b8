/**
 * The progress of one bootstrap. It is part of cursors and of the committed offset, so that a
 * consumer goes on with the same snapshot after a crash.
 */
export type Bootstrap = {
  /** Which snapshot this is: pages of two snapshots must never be mixed. */
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /**
   * The progress of the scan of the compacted state; see the functions below. Sorts by progress.
   */
  readonly scan: string;
  /**
   * First sequence after the checkpoint (checkpoint + 1), per partition: where the log continues.
   */
  readonly starts: readonly number[];
  /**
   * From which position on the folded state is exact, per partition: one more than the highest
   * sequence seen so far, newer items and tombstones included; final once the scan has ended.
   */
  readonly exactFrom: readonly number[];
};

/** Requested, but nothing of it is delivered yet: the next poll takes a new snapshot. */
const PENDING = "-";
const ENDED = "16";

/** How many item collections the compacted state of a stream is spread over, scanned in order. */
export const COMPACTED_BUCKETS = 16;

export const pendingBootstrap: Bootstrap = {
  run: "",
  startedAt: 0,
  scan: PENDING,
  starts: [],
  exactFrom: [],
};

export const isPending = ({ scan }: Bootstrap): boolean => scan === PENDING;

/** True once every bucket has been read: what follows is the log. */
export const isScanned = ({ scan }: Bootstrap): boolean => scan === ENDED;

/** The progress of a scan: in `bucket`, after the key `after`, or at the bucket's beginning. */
export const formatScan = (bucket: number, after?: string): string =>
  `${String(bucket).padStart(2, "0")}${after === undefined ? "" : `#${after}`}`;

export function parseScan(scan: string): { bucket: number; after: string | undefined } {
  return { bucket: Number(scan.slice(0, 2)), after: scan.length > 2 ? scan.slice(3) : undefined };
}

/** How many of the buckets are read whole. */
export const bucketsRead = ({ scan }: Bootstrap): number =>
  scan === PENDING ? 0 : parseScan(scan).bucket;

/** Whether everything that the snapshot left out has been read from the log by now. */
export const isExact = (
  bootstrap: Bootstrap | undefined,
  positions: readonly ({ readonly next: number } | undefined)[],
): boolean =>
  bootstrap === undefined ||
  (isScanned(bootstrap) &&
    bootstrap.exactFrom.every((from, partition) => (positions[partition]?.next ?? 0) >= from));
