import { eventOf } from "../compaction/compacted-event.ts";
import { isOpen } from "../compaction/pin-plan.ts";
import type { CursorContent } from "../cursor/cursor.ts";
import type { Clock } from "../kernel/clock.ts";
import { invalidRequest, LedgerError } from "../kernel/error.ts";
import type { Random } from "../kernel/random.ts";
import type { Partitioned } from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { withLaterStarts } from "../model/later-starts.ts";
import { type Life, lifeText } from "../model/names.ts";
import { bucketOf } from "../model/partition.ts";
import type { Position } from "../model/position.ts";
import type { Restored } from "../model/restored.ts";
import {
  type Bootstrap,
  COMPACTED_BUCKETS,
  formatScan,
  isScanned,
  positionsAfter,
} from "../model/snapshot-progress.ts";
import type { Table } from "../table/table.ts";
import { assertCompacted, beginBootstrap, loadSnapshotPage } from "./bootstrap.ts";
import type { Differences } from "./difference.ts";
import { divide } from "./scan-plan.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly differences: Differences;
};

type Stream = Partitioned & {
  readonly life: Life;
  readonly uid: string;
  readonly compaction: "key" | "none";
  readonly restored?: Restored;
};

/** A page of the compacted state. */
export type CompactedListPage = {
  readonly items: readonly StoredEvent[];
  /** Where the list continues: none at its end, and several where it is divided into parts. */
  readonly cursors: readonly CursorContent[];
  /**
   * The cursor for reading on after the last page of the list. It delivers exactly the events that
   * follow the list.
   */
  readonly follow: CursorContent;
};

/**
 * Lists the compacted state as of the checkpoints when the first page was read: a bootstrap without
 * a subscription. A key that is overwritten while the list is read may be missing from it. The
 * event that overwrote it comes after `follow`. `parts` divides what follows the page into up to so
 * many parts, which can be read at the same time. Throws `not-compacted`, `compaction-stalled`,
 * `changes-passed` and, for a cursor that is more than a day old, `bootstrap-expired`.
 */
export async function listCompacted(
  deps: Deps,
  stream: Stream,
  { from, since, parts, ...page }: ListRequest,
): Promise<CompactedListPage> {
  assertCompacted(stream);
  if (from !== undefined && !isOpen(from, deps.clock.now())) throw listExpired();
  if (parts !== undefined && (since ?? from?.difference) !== undefined) {
    throw invalidRequest("/query/parts", "cannot divide a list with `since`, which has one part");
  }
  const begin = () =>
    since === undefined
      ? beginBootstrap(deps, stream)
      : deps.differences.begin(stream, { since, startedAt: 0 });
  const begun = withLaterStarts(stream, from ?? (await begin()));
  const { events, bootstrap } = await (begun.difference === undefined
    ? loadSnapshotPage(deps, stream, begun, page)
    : deps.differences.loadPage(stream, begun, page));
  const positions = positionsAfter(begun);
  const at = { life: lifeText(stream), positions, nextPartition: 0, listed: page.prefix ?? "" };
  const isEnd = isScanned(bootstrap);
  const rest = isEnd ? [] : parts === undefined ? [bootstrap] : divide(bootstrap, parts);
  const inParts = begun.until !== undefined || (parts !== undefined && !isEnd);
  return {
    items: events,
    cursors: rest.map((each) => ({ ...at, bootstrap: each })),
    follow: inParts ? followOf(at, begun) : isEnd ? { ...at, bootstrap } : at,
  };
}

/** Which states to list. `since` leaves out keys that have not changed since these positions. */
type ListRequest = {
  readonly limit: number;
  readonly since?: readonly Position[] | undefined;
  readonly prefix?: string | undefined;
  readonly parts?: number | undefined;
  readonly from?: Bootstrap | undefined;
};

/** Returns the cursor that follows all parts of a list: see `shownBy`. */
const followOf = (at: CursorContent, { run, startedAt, starts }: Bootstrap): CursorContent => {
  const scan = formatScan(COMPACTED_BUCKETS);
  return { ...at, bootstrap: { run, startedAt, scan, starts: [], exactFrom: starts, until: 0 } };
};

/**
 * Returns the current state of one key as of the watermark of compaction, strongly consistent.
 * Throws `key-not-found`, which reports whether the key is known to be deleted. A deletion is
 * forgotten after some time.
 */
export async function loadCompacted(
  { table }: Pick<Deps, "table">,
  stream: Stream,
  key: string,
): Promise<StoredEvent> {
  assertCompacted(stream);
  const row = await table.compacted.load(stream.life, bucketOf(key), key);
  const event = row === undefined ? undefined : eventOf(row);
  if (event !== undefined) return event;
  const deleted = row?.deleted === true;
  throw new LedgerError("key-not-found", {
    detail: deleted
      ? "The key was deleted by its last event."
      : "No event of this key has been compacted, or the key was deleted long ago.",
    facts: { deleted, ...(row === undefined ? {} : { sequence: row.sequence }) },
  });
}

const listExpired = (): LedgerError =>
  new LedgerError("bootstrap-expired", {
    detail:
      "This list began more than a day ago by the clock of this server. Discard what it has shown and begin it again.",
  });
