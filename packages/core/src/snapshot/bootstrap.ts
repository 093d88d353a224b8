import { LIMITS } from "@eventledger/protocol";
import { eventOf, isOpen, planPins } from "../compaction/compaction-plan.ts";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { newUid, type Random } from "../kernel/random.ts";
import { loadEnd } from "../log/end.ts";
import { assertNotStalled, assertNumbered, mayBeStalled } from "../log/guard.ts";
import type { StoredEvent } from "../model/event.ts";
import type { Life } from "../model/names.ts";
import { type Bootstrap, formatScan, isScanned, parseScan } from "../model/snapshot-progress.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { CompactedRow } from "../table/compacted.entity.ts";
import type { Table } from "../table/table.ts";
import { planScan, planScanEnd, planWave, type ScanRoom } from "./scan-plan.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

type Stream = {
  readonly life: Life;
  readonly partitions: number;
  readonly compaction: "key" | "none";
};

/** A page of the snapshot, and where it goes on. `ended` on the page that completes it. */
export type SnapshotPage = {
  readonly events: readonly StoredEvent[];
  readonly bootstrap: Bootstrap;
  readonly ended: boolean;
};

const PARTITIONS_AT_ONCE = 8;
const PIN_TRIES = 20;
/** Rows a page looks at before it ends, also when all of them are tombstones. */
const ROWS_MAX = 2_000;
/**
 * Rows of a page's first query, before it is known how large they are, and where many are left out.
 */
const ROWS_FIRST = 200;

/** What of a snapshot a page shows. */
export type SnapshotRange = {
  readonly limit: number;
  readonly prefix?: string | undefined;
  readonly matches?: ((event: StoredEvent) => boolean) | undefined;
};

/**
 * Takes a new snapshot of a stream's compacted state: the position of each checkpoint, pinned so
 * that the log stays readable from there for a day. Throws `not-compacted`, and
 * `compaction-stalled` when compaction lags so far that its tombstones might be gone already.
 */
export async function beginBootstrap(deps: Deps, stream: Stream): Promise<Bootstrap> {
  assertCompacted(stream);
  const startedAt = deps.clock.now();
  const starts: number[] = Array.from({ length: stream.partitions }, () => 1);
  await inParallel(starts.keys(), PARTITIONS_AT_ONCE, async (partition) => {
    starts[partition] = await pinCheckpoint(deps, stream.life, partition);
  });
  const run = newUid(deps.random);
  return { run, startedAt, scan: formatScan(0), starts, exactFrom: starts };
}

/** The checkpoint of a partition, from which on the log stays readable from now on. */
async function pinCheckpoint(
  { table, clock }: Deps,
  life: Life,
  partition: number,
): Promise<number> {
  for (let attempt = 0; attempt < PIN_TRIES; attempt++) {
    const checkpoint = await loadCheckpoint(table, life, partition);
    assertNumbered(checkpoint, clock.now());
    // The end is in the last batch, which may be large: it is read only where it matters.
    if (mayBeStalled(checkpoint, clock.now())) {
      assertNotStalled(await loadEnd({ table, clock }, life, partition), clock.now());
    }
    const pins = planPins(checkpoint, clock.now());
    if (pins === undefined) return checkpoint.next;
    if (await table.checkpoints.pin(life, partition, checkpoint.next, pins)) return checkpoint.next;
  }
  throw new LedgerError("stream-busy", {
    detail: "Compaction moved on all the time while the bootstrap was being set up. Try again.",
    retryAfterSeconds: 1,
  });
}

/**
 * The next page of a snapshot: the live state of keys as of its checkpoint. A page may be empty and
 * not be the last. Reads the compacted state only, strongly consistent. `prefix` leaves out all
 * keys that do not begin with it, `matches` the events it refuses. Throws `bootstrap-expired` after
 * a day.
 */
export async function loadSnapshotPage(
  { table, clock }: Deps,
  { life }: Stream,
  bootstrap: Bootstrap,
  { limit, prefix = "", matches }: SnapshotRange,
): Promise<SnapshotPage> {
  if (!isOpen(bootstrap, clock.now())) throw bootstrapExpired();
  const events: StoredEvent[] = [];
  let at = bootstrap;
  let room: ScanRoom = { events: limit, bytes: LIMITS.pageBytesMax, rows: ROWS_MAX };
  let bucketRows: number | undefined;
  for (let full = false; !full && !isScanned(at) && room.events > 0 && room.rows > 0; ) {
    const { bucket, after } = parseScan(at.scan);
    const fitting = rowsThatFit(room, limit);
    if (fitting === 0) break;
    const waveMax = planWave(bucket, { ...room, events: fitting }, bucketRows);
    const wave = Array.from({ length: waveMax }, (_, i) => bucket + i);
    const rowsMax = Math.min(matches === undefined ? fitting : ROWS_FIRST, room.rows);
    const pages = await Promise.all(
      wave.map(async (of) => {
        const range = { after: of === bucket ? after : undefined, from: prefix || undefined };
        return { of, ...(await loadRows(table, life, of, { ...range, prefix, limit: rowsMax })) };
      }),
    );
    for (const page of pages) {
      if (full || parseScan(at.scan).bucket !== page.of) break;
      const isWanted = (row: CompactedRow) => {
        const event = eventOf(row);
        return event !== undefined && (matches === undefined || matches(event));
      };
      const filter = matches === undefined ? {} : { isWanted };
      const plan = planScan(at, page.of, page, room, { empty: events.length === 0, ...filter });
      for (const row of plan.taken) {
        const event = eventOf(row);
        if (event !== undefined) events.push(event);
      }
      ({ bootstrap: at, room, full } = plan);
      // Only a bucket that was read from its beginning to its end tells how many rows buckets hold.
      const whole = !page.more && (page.of !== bucket || after === undefined);
      bucketRows = whole ? page.rows.length : undefined;
    }
  }
  if (!isScanned(at)) return { events, bootstrap: at, ended: false };
  const checkpoints = await loadCheckpoints(table, life, at.starts.length);
  return { events, bootstrap: planScanEnd(at, checkpoints), ended: true };
}

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

/** Rows of one bucket whose keys begin with `prefix`; they lie side by side. */
async function loadRows(
  table: Table,
  life: Life,
  bucket: number,
  range: { after: string | undefined; from: string | undefined; prefix: string; limit: number },
) {
  const { from, prefix, limit } = range;
  // A cursor of another list may lie before all keys of this one.
  const after =
    range.after === undefined || isBefore(range.after, prefix) ? undefined : range.after;
  const start = from === undefined ? { after, limit } : { after, from, limit };
  const { rows, more } = await table.compacted.loadPage(life, bucket, start);
  const outside = rows.findIndex(({ key }) => !key.startsWith(prefix));
  return outside === -1 ? { rows, more } : { rows: rows.slice(0, outside), more: false };
}

const isBefore = (key: string, other: string): boolean =>
  Buffer.compare(Buffer.from(key), Buffer.from(other)) < 0;

async function loadCheckpoints(table: Table, life: Life, partitions: number): Promise<number[]> {
  const next: number[] = Array.from({ length: partitions }, () => 1);
  await inParallel(next.keys(), PARTITIONS_AT_ONCE, async (partition) => {
    next[partition] = (await loadCheckpoint(table, life, partition)).next;
  });
  return next;
}

async function loadCheckpoint(table: Table, life: Life, partition: number): Promise<Checkpoint> {
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  return checkpoint;
}

/** Throws `not-compacted` when a stream keeps no current state of its keys. */
export function assertCompacted({ compaction }: Pick<Stream, "compaction">): void {
  if (compaction === "key") return;
  throw new LedgerError("not-compacted", {
    detail: 'The stream was created with compaction "none". Read it from `earliest` instead.',
  });
}

const bootstrapExpired = (): LedgerError =>
  new LedgerError("bootstrap-expired", {
    detail:
      "This bootstrap was begun more than a day ago, by the clock of this server. Forget what it has delivered and seek to `bootstrap` for a new one.",
    facts: { seek: "bootstrap" },
  });
