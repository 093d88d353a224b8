import { LIMITS } from "@eventledger/protocol";
import { eventOf } from "../compaction/compacted-event.ts";
import type { StoredEvent } from "../model/event.ts";
import { type Bootstrap, scanOf } from "../model/snapshot-progress.ts";
import type { CompactedRow } from "../table/compacted-row.ts";
import { planScan, planWave, type ScanRoom } from "./scan-plan.ts";

/** A page of a snapshot during its assembly. */
export type GrowingPage = {
  readonly limit: number;
  readonly matches?: ((event: StoredEvent) => boolean) | undefined;
  readonly events: readonly StoredEvent[];
  /** The progress of the scan after these events. */
  readonly bootstrap: Bootstrap;
  readonly room: ScanRoom;
  /** True when the page has no room for the next row. */
  readonly full: boolean;
  /**
   * The number of rows in the last bucket that was read whole, as the estimate for the next ones.
   */
  readonly bucketRows: number | undefined;
};

/** A query for the rows of one bucket: up to `limit` rows, after the key `after`. */
export type BucketQuery = {
  readonly bucket: number;
  readonly after: string | undefined;
  readonly limit: number;
};

/** The result of a query. `more` is true when the bucket continues. */
export type BucketRows = { readonly rows: readonly CompactedRow[]; readonly more: boolean };

/** The number of rows a page examines before it ends, even if all of them are tombstones. */
const ROWS_MAX = 2_000;
/**
 * The number of rows in a page's first query, before their size is known, and in queries that leave
 * many rows out.
 */
const ROWS_FIRST = 200;

export const beginPage = (
  bootstrap: Bootstrap,
  { limit, matches }: Pick<GrowingPage, "limit" | "matches">,
): GrowingPage => ({
  limit,
  matches,
  events: [],
  bootstrap,
  room: { events: limit, bytes: LIMITS.pageBytesMax, rows: ROWS_MAX },
  full: false,
  bucketRows: undefined,
});

/**
 * Returns the next queries to run in parallel, in the order of the buckets. None once the page is
 * done. Pure.
 */
export function planQueries(page: GrowingPage): BucketQuery[] {
  const { room, limit } = page;
  const scan = scanOf(page.bootstrap);
  if (page.full || scan.state !== "reading" || room.events <= 0 || room.rows <= 0) return [];
  const fitting = rowsThatFit(room, limit);
  if (fitting === 0) return [];
  const { bucket, after } = scan;
  const rowsMax = Math.min(page.matches === undefined ? fitting : ROWS_FIRST, room.rows);
  const buckets = planWave(
    { ...page.bootstrap, bucket },
    { ...room, events: fitting },
    page.bucketRows,
  );
  return Array.from({ length: buckets }, (_, ahead) => ({
    bucket: bucket + ahead,
    after: ahead === 0 ? after : undefined,
    limit: rowsMax,
  }));
}

/** Returns the page with the rows of one query, unless the scan stopped before its bucket. Pure. */
export function takeRows(page: GrowingPage, query: BucketQuery, found: BucketRows): GrowingPage {
  const { bootstrap, room, events, full, matches } = page;
  const scan = scanOf(bootstrap);
  if (full || scan.state !== "reading" || scan.bucket !== query.bucket) return page;
  const filter = matches === undefined ? {} : { isWanted: isWantedBy(matches) };
  const plan = planScan(bootstrap, { ...found, bucket: query.bucket }, room, {
    empty: events.length === 0,
    ...filter,
  });
  // Only a bucket that was read from beginning to end shows how many rows a bucket holds.
  const isWhole = !found.more && query.after === undefined;
  return {
    ...page,
    events: [...events, ...plan.taken.flatMap((row) => eventOf(row) ?? [])],
    bootstrap: plan.bootstrap,
    room: plan.room,
    full: plan.full,
    bucketRows: isWhole ? found.rows.length : undefined,
  };
}

const isWantedBy = (matches: (event: StoredEvent) => boolean) => (row: CompactedRow) => {
  const event = eventOf(row);
  return event !== undefined && matches(event);
};

/**
 * Returns how many rows a query may ask for so that about all of them fit into the page. The
 * estimate uses the size of the rows in the page so far. A row that does not fit costs a read now
 * and a second one for the next page.
 */
function rowsThatFit({ events, bytes, rows }: ScanRoom, limit: number): number {
  const taken = limit - events;
  if (taken === 0) return Math.min(events, Math.max(ROWS_FIRST, ROWS_MAX - rows));
  const averageBytes = (LIMITS.pageBytesMax - bytes) / taken;
  return Math.min(events, Math.max(0, Math.floor(bytes / averageBytes)));
}
