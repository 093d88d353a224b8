import { ADDED_BYTES } from "../log/read/page-cut.ts";
import {
  type Bootstrap,
  COMPACTED_BUCKETS,
  formatScan,
  formatScanAfter,
  scanOf,
} from "../model/snapshot-progress.ts";
import type { CompactedRow } from "../table/compacted-row.ts";

/** The remaining capacity of a page: events, bytes, and rows that it may examine. */
export type ScanRoom = { readonly events: number; readonly bytes: number; readonly rows: number };

export type ScanPlan = {
  /** Live rows that belong to the snapshot, in the order of the bucket. */
  readonly taken: readonly CompactedRow[];
  readonly bootstrap: Bootstrap;
  readonly room: ScanRoom;
  /** True when the page has no room for the next row. */
  readonly full: boolean;
};

/** The next rows of a bucket, in its order. `more` is true when others follow. */
type ScannedRows = {
  readonly bucket: number;
  readonly rows: readonly CompactedRow[];
  readonly more: boolean;
};

/** `empty` is true before the first event. `isWanted` leaves out further rows. */
type ScannedPage = {
  readonly empty: boolean;
  readonly isWanted?: (row: CompactedRow) => boolean;
};

/**
 * Continues a scan through the rows of `bucket`. It leaves out rows newer than the snapshot's
 * checkpoint, because the log delivers them. But every row counts as seen, tombstones and newer
 * ones too. A key whose older state was overwritten during the scan is missing until the log
 * reaches the newer event. `isWanted` leaves out further rows. An empty page has room for any row.
 * Pure.
 */
export function planScan(
  bootstrap: Bootstrap,
  { bucket, rows, more }: ScannedRows,
  room: ScanRoom,
  page: ScannedPage,
): ScanPlan {
  const taken: CompactedRow[] = [];
  const exactFrom = [...bootstrap.exactFrom];
  let { scan } = bootstrap;
  let { events, bytes, rows: looks } = room;
  const stopped = (full: boolean): ScanPlan => ({
    taken,
    bootstrap: { ...bootstrap, scan, exactFrom },
    room: { events, bytes, rows: looks },
    full,
  });
  for (const row of rows) {
    const { partition, sequence } = row;
    const inSnapshot = isInScan(row, bootstrap, page);
    const size = row.rawBytes + ADDED_BYTES;
    if (inSnapshot && (events === 0 || (size > bytes && !(page.empty && taken.length === 0)))) {
      return stopped(true);
    }
    if (looks === 0) return stopped(true);
    if (inSnapshot) {
      taken.push(row);
      events--;
      bytes -= size;
    }
    looks--;
    exactFrom[partition] = Math.max(exactFrom[partition] ?? 1, sequence + 1);
    scan = formatScan(bucket, row.key);
  }
  if (!more) scan = formatScanAfter(bucket, bootstrap);
  return stopped(false);
}

/** Returns whether a row belongs to the snapshot and is wanted. */
function isInScan(row: CompactedRow, bootstrap: Bootstrap, page: ScannedPage): boolean {
  const { partition, sequence } = row;
  return (
    row.deleted !== true &&
    sequence < (bootstrap.starts[partition] ?? 1) &&
    (page.isWanted?.(row) ?? true)
  );
}

/**
 * Returns how many buckets to query at once: as many as are likely to fit the page, by the number
 * of rows in the last one. A small state then needs one round, and a large one reads nothing twice.
 */
export const planWave = (
  { bucket, until = COMPACTED_BUCKETS }: { readonly bucket: number; readonly until?: number },
  { events }: ScanRoom,
  rowsBefore: number | undefined,
) => {
  const fitting = rowsBefore === undefined ? 1 : Math.floor(events / (rowsBefore * 2 + 1));
  return Math.max(1, Math.min(fitting, until - bucket));
};

/**
 * Returns the end of a scan. The state is exact once the log is read up to the highest sequence
 * seen, and up to the current checkpoints. Pure.
 */
export const planScanEnd = (bootstrap: Bootstrap, checkpoints: readonly number[]): Bootstrap => ({
  ...bootstrap,
  exactFrom: bootstrap.exactFrom.map((from, partition) =>
    Math.max(from, checkpoints[partition] ?? 1),
  ),
});

/**
 * Divides what is left of a scan into up to `count` parts with about the same number of keys. A
 * bucket is never divided. Pure.
 */
export function divide(bootstrap: Bootstrap, count: number): Bootstrap[] {
  const scan = scanOf(bootstrap);
  if (scan.state !== "reading") return [];
  const left = (bootstrap.until ?? COMPACTED_BUCKETS) - scan.bucket;
  const parts = Math.min(count, left);
  const firstOf = (part: number) => scan.bucket + Math.floor((part * left) / parts);
  return Array.from({ length: parts }, (_, part) => ({
    ...bootstrap,
    scan: part === 0 ? bootstrap.scan : formatScan(firstOf(part)),
    until: firstOf(part + 1),
  }));
}
