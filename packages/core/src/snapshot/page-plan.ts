import { LIMITS } from "@eventledger/protocol";
import { eventOf } from "../compaction/compaction-plan.ts";
import type { StoredEvent } from "../model/event.ts";
import { type Bootstrap, scanOf } from "../model/snapshot-progress.ts";
import type { CompactedRow } from "../table/compacted.entity.ts";
import { planScan, planWave, type ScanRoom } from "./scan-plan.ts";

/** A page of a snapshot while it is put together. */
export type GrowingPage = {
  readonly limit: number;
  readonly matches?: ((event: StoredEvent) => boolean) | undefined;
  readonly events: readonly StoredEvent[];
  /** The progress of the scan after these events. */
  readonly bootstrap: Bootstrap;
  readonly room: ScanRoom;
  /** It has no room for the next row. */
  readonly full: boolean;
  /** How many rows the last bucket held that was read whole, as the estimate for the next ones. */
  readonly bucketRows: number | undefined;
};

/** The rows of one bucket to read: up to `limit` of them, after the key `after`. */
export type BucketQuery = {
  readonly bucket: number;
  readonly after: string | undefined;
  readonly limit: number;
};

/** What a query found; `more` when the bucket goes on. */
export type BucketRows = { readonly rows: readonly CompactedRow[]; readonly more: boolean };

/** Rows a page looks at before it ends, also when all of them are tombstones. */
const ROWS_MAX = 2_000;
/**
 * Rows of a page's first query, before it is known how large they are, and where many are left out.
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
 * What to read next, side by side, in the order of the buckets; nothing once the page is done.
 * Pure.
 */
export function planQueries(page: GrowingPage): BucketQuery[] {
  const { room, limit } = page;
  const scan = scanOf(page.bootstrap);
  if (page.full || scan.state !== "reading" || room.events <= 0 || room.rows <= 0) return [];
  const fitting = rowsThatFit(room, limit);
  if (fitting === 0) return [];
  const { bucket, after } = scan;
  const rowsMax = Math.min(page.matches === undefined ? fitting : ROWS_FIRST, room.rows);
  const buckets = planWave(bucket, { ...room, events: fitting }, page.bucketRows);
  return Array.from({ length: buckets }, (_, ahead) => ({
    bucket: bucket + ahead,
    after: ahead === 0 ? after : undefined,
    limit: rowsMax,
  }));
}

/** The page with what one query found, unless the scan stopped before its bucket. Pure. */
export function takeRows(page: GrowingPage, query: BucketQuery, found: BucketRows): GrowingPage {
  const { bootstrap, room, events, full, matches } = page;
  const scan = scanOf(bootstrap);
  if (full || scan.state !== "reading" || scan.bucket !== query.bucket) return page;
  const filter = matches === undefined ? {} : { isWanted: isWantedBy(matches) };
  const plan = planScan(bootstrap, query.bucket, found, room, {
    empty: events.length === 0,
    ...filter,
  });
  // Only a bucket that was read from its beginning to its end tells how many rows buckets hold.
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
 * How many rows a query may ask for so that the page has room for about all of them, going by the
 * size of those that it holds: what does not fit is paid for, and read again by the next page.
 */
function rowsThatFit({ events, bytes, rows }: ScanRoom, limit: number): number {
  const taken = limit - events;
  if (taken === 0) return Math.min(events, Math.max(ROWS_FIRST, ROWS_MAX - rows));
  const averageBytes = (LIMITS.pageBytesMax - bytes) / taken;
  return Math.min(events, Math.max(0, Math.floor(bytes / averageBytes)));
}
