import { isOpen, planPins } from "../compaction/pin-plan.ts";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { newUid, type Random } from "../kernel/random.ts";
import { again, retry } from "../kernel/retry.ts";
import { loadEnd } from "../log/end.ts";
import { assertNotStalled, assertNumbered, mayBeStalled } from "../log/guard.ts";
import {
  chainCount,
  chainsIn,
  chainsOf,
  epochsOf,
  type Partitioned,
  TurnReached,
} from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { withLaterStarts } from "../model/later-starts.ts";
import type { Life } from "../model/names.ts";
import { type Bootstrap, formatScan, isScanned } from "../model/snapshot-progress.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";
import {
  type BucketQuery,
  type BucketRows,
  beginPage,
  planQueries,
  takeRows,
} from "./page-plan.ts";
import { planScanEnd } from "./scan-plan.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

type Stream = Partitioned & {
  readonly life: Life;
  readonly compaction: "key" | "none";
};

/**
 * A page of the snapshot, and the progress after it. `ended` is true on the page that completes it.
 */
export type SnapshotPage = {
  readonly events: readonly StoredEvent[];
  readonly bootstrap: Bootstrap;
  readonly ended: boolean;
};

const PARTITIONS_AT_ONCE = 8;
const PIN_TRIES = 20;

/** The part of a snapshot that a page shows. */
export type SnapshotRange = {
  readonly limit: number;
  readonly prefix?: string | undefined;
  readonly matches?: ((event: StoredEvent) => boolean) | undefined;
};

/**
 * Takes a new snapshot of a stream's compacted state: the position of each checkpoint, pinned so
 * that the log stays readable from there for a day. Compaction enters an epoch when it has ended
 * the one before, so the checkpoints of later epochs are read first: the snapshot then holds no
 * event that is newer than one which follows it. Throws `not-compacted`. Throws
 * `compaction-stalled` when compaction lags so far that its tombstones may have expired.
 */
export async function beginBootstrap(deps: Deps, stream: Stream): Promise<Bootstrap> {
  assertCompacted(stream);
  const startedAt = deps.clock.now();
  const starts: number[] = chainsOf(stream).map(() => 1);
  for (const epoch of epochsOf(stream).toReversed()) {
    await inParallel(chainsIn(epoch), PARTITIONS_AT_ONCE, async (partition) => {
      starts[partition] = await pinCheckpoint(deps, stream.life, partition);
    });
  }
  const run = newUid(deps.random);
  return { run, startedAt, scan: formatScan(0), starts, exactFrom: starts };
}

/**
 * Returns the checkpoint of a partition, and pins it, so that the log stays readable from there.
 */
async function pinCheckpoint(
  { table, clock }: Deps,
  life: Life,
  partition: number,
): Promise<number> {
  return retry<number>({ tries: PIN_TRIES, giveUp: compactionMovedOn }, async () => {
    const checkpoint = await loadCheckpoint(table, life, partition);
    assertNumbered(checkpoint, clock.now());
    // Reading the end reads the last batch, which may be large. It is read only if it matters.
    if (mayBeStalled(checkpoint, clock.now())) {
      assertNotStalled(await loadEnd({ table, clock }, life, partition), clock.now());
    }
    const pins = planPins(checkpoint, clock.now());
    if (pins === undefined) return checkpoint.next;
    const isPinned = await table.checkpoints.pin(life, partition, checkpoint.next, pins);
    return isPinned ? checkpoint.next : again();
  });
}

function compactionMovedOn(): never {
  throw new LedgerError("stream-busy", {
    detail: "Compaction kept moving while the bootstrap was being prepared. Try again.",
    retryAfterSeconds: 1,
  });
}

/**
 * Returns the next page of a snapshot: the live state of keys as of its checkpoint. A page may be
 * empty and not be the last. It reads only the compacted state, strongly consistent. `prefix`
 * leaves out all keys that do not begin with it, `matches` the events that it rejects. Throws
 * `bootstrap-expired` after a day, and `TurnReached` for a state of an epoch that the view of the
 * stream lacks.
 */
export async function loadSnapshotPage(
  { table, clock }: Deps,
  stream: Stream,
  known: Bootstrap,
  { limit, prefix = "", matches }: SnapshotRange,
): Promise<SnapshotPage> {
  const { life } = stream;
  const bootstrap = withLaterStarts(stream, known);
  if (!isOpen(bootstrap, clock.now())) throw bootstrapExpired();
  let page = beginPage(bootstrap, { limit, matches });
  for (let queries = planQueries(page); queries.length > 0; queries = planQueries(page)) {
    const pages = await Promise.all(
      queries.map(async (query) => ({ query, found: await loadRows(table, life, query, prefix) })),
    );
    for (const { query, found } of pages) {
      if (found.rows.some(({ partition }) => partition >= chainCount(stream))) {
        throw new TurnReached();
      }
      page = takeRows(page, query, found);
    }
  }
  const { events } = page;
  const isEnded = isScanned(page.bootstrap);
  if (!isEnded || page.bootstrap.until !== undefined) {
    return { events, bootstrap: page.bootstrap, ended: isEnded };
  }
  const checkpoints = await loadCheckpoints(table, life, chainCount(stream));
  return { events, bootstrap: planScanEnd(page.bootstrap, checkpoints), ended: true };
}

/** Returns rows of one bucket whose keys begin with `prefix`. These rows are adjacent. */
async function loadRows(
  table: Table,
  life: Life,
  query: BucketQuery,
  prefix: string,
): Promise<BucketRows> {
  // A cursor of a list with another prefix may be before all keys of this one.
  const isInside = query.after !== undefined && !isBefore(query.after, prefix);
  const { rows, more } = await table.compacted.loadPage(life, query.bucket, {
    after: isInside ? query.after : undefined,
    limit: query.limit,
    ...(prefix === "" ? {} : { from: prefix }),
  });
  const outside = rows.findIndex(({ key }) => !key.startsWith(prefix));
  return outside === -1 ? { rows, more } : { rows: rows.slice(0, outside), more: false };
}

const isBefore = (key: string, other: string): boolean =>
  Buffer.compare(Buffer.from(key), Buffer.from(other)) < 0;

/** Returns where compaction is in each partition. */
export async function loadCheckpoints(
  table: Table,
  life: Life,
  partitions: number,
): Promise<number[]> {
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

/**
 * Throws `not-compacted` when a stream keeps no current state of its keys. `remedy` says what the
 * client can do instead.
 */
export function assertCompacted(
  { compaction }: Pick<Stream, "compaction">,
  remedy = "Read it from `earliest` instead.",
): void {
  if (compaction === "key") return;
  throw new LedgerError("not-compacted", {
    detail: `The stream was created with compaction "none". ${remedy}`,
  });
}

export const bootstrapExpired = (): LedgerError =>
  new LedgerError("bootstrap-expired", {
    detail:
      "This bootstrap began more than a day ago by the clock of this server. Discard what it has delivered and seek to `bootstrap` for a new one.",
    facts: { seek: "bootstrap" },
  });
