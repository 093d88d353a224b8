import { listChanges, loadChanges } from "../compaction/list-changes.ts";
import { isOpen } from "../compaction/pin-plan.ts";
import { createBounded } from "../kernel/bounded.ts";
import { ageMs, type Clock, takeStamp } from "../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import type { Random } from "../kernel/random.ts";
import type { Change } from "../model/change.ts";
import {
  chainCount,
  chainIn,
  chainsOf,
  epochsOf,
  type Partitioned,
  startOfChain,
  TurnReached,
} from "../model/epochs.ts";
import { withLaterStarts } from "../model/later-starts.ts";
import type { Life } from "../model/names.ts";
import { bucketOf } from "../model/partition.ts";
import { edgeAt, type Position } from "../model/position.ts";
import {
  type Bootstrap,
  COMPACTED_BUCKETS,
  type Difference,
  formatChangeScan,
  formatScan,
  scanOf,
} from "../model/snapshot-progress.ts";
import type { Table } from "../table/table.ts";
import {
  assertCompacted,
  beginBootstrap,
  bootstrapExpired,
  loadCheckpoints,
  type SnapshotPage,
  type SnapshotRange,
} from "./bootstrap.ts";
import {
  type DifferencePage,
  emptyPage,
  isFull,
  planLooks,
  takeChange,
} from "./difference-plan.ts";
import { planScanEnd } from "./scan-plan.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

type Stream = Partitioned & { readonly life: Life; readonly compaction: "key" | "none" };

const PARTITIONS_AT_ONCE = 8;
/** How long a request may list changes before it gives up. */
const LISTING_BUDGET_MS = 8_000;
/** The most changes of a partition that a page compares. A longer list is read in parts. */
const CHANGES_AT_ONCE = 200_000;
const REMEMBERED_MAX = 8;
const TRIES = 3;

/** The changes of a partition from a place up to `to`. */
type Window = { readonly changes: readonly Change[]; readonly from: number; readonly to: number };

/** A place in a difference, and the positions that it follows, by partition. */
type Place = {
  readonly partition: number;
  readonly from: number;
  readonly since: readonly Position[];
};

/**
 * Returns the position of a cursor in every partition: at the beginning of those that are newer
 * than the cursor.
 */
const sinceIn = (stream: Stream, { since }: Difference): Position[] =>
  chainsOf(stream).map((at) => since[at] ?? edgeAt(startOfChain(stream, at)));

/**
 * Throws `changes-passed` if the changes after a position are not known any more, and
 * `not-compacted`. It writes nothing, so a longer look may still find out that.
 */
export async function assertReachesBack(
  { table }: Pick<Deps, "table">,
  stream: Stream,
  since: readonly (Position | undefined)[],
): Promise<void> {
  assertCompacted(stream);
  await inParallel(chainsOf(stream), PARTITIONS_AT_ONCE, async (partition) => {
    const position = since[partition];
    if (position === undefined) return;
    const list = await table.changes.load(stream.life, partition);
    const begin = list?.from ?? (await floorOf(table, stream.life, partition));
    if (position.next < begin) throw changesPassed();
  });
}

async function floorOf(table: Table, life: Life, partition: number): Promise<number> {
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  return checkpoint.floor;
}

const changesPassed = (): LedgerError =>
  new LedgerError("changes-passed", {
    detail:
      "The list of changes does not reach back to this cursor. Keys that were deleted since are unknown, so discard your copy and seek to `bootstrap`.",
    facts: { seek: "bootstrap" },
  });

/**
 * Creates the snapshots of the keys that changed since a cursor. This process remembers the changes
 * of the last few of them, so that the pages of one read its list once.
 */
export function createDifferences(deps: Deps) {
  const { table, clock } = deps;
  const remembered = createBounded<Window>(REMEMBERED_MAX);

  /**
   * Takes a snapshot, like `beginBootstrap`, and lists the changes up to it. Throws
   * `changes-passed`.
   */
  async function begin(stream: Stream, { since }: Difference): Promise<Bootstrap> {
    const began = takeStamp(clock);
    const bootstrap = await beginBootstrap(deps, stream);
    const known = sinceIn(stream, { since, startedAt: 0 });
    const starts = [...bootstrap.starts];
    await inParallel(chainsOf(stream), PARTITIONS_AT_ONCE, async (partition) => {
      const { next, batch } = known[partition] ?? edgeAt(1);
      const until = starts[partition] ?? 1;
      if (next >= until) {
        // Compaction has not passed the cursor, so the log alone has what comes after it.
        starts[partition] = next === until ? until : batch;
        return;
      }
      const mayGoOn = () => ageMs(clock, began) < LISTING_BUDGET_MS;
      const list = await listChanges(deps, { life: stream.life, partition }, { until, mayGoOn });
      if (next < list.from) throw changesPassed();
    });
    const { startedAt } = bootstrap;
    const exactFrom = starts.map((start, at) => Math.max(start, known[at]?.next ?? 1));
    const difference = { since: known, startedAt };
    return {
      ...bootstrap,
      startedAt: 0,
      starts,
      exactFrom,
      scan: formatChangeScan(0, 0),
      difference,
    };
  }

  /** Returns the next changes of a partition from the list. */
  async function readWindow(
    { life, partition }: { readonly life: Life; readonly partition: number },
    from: number,
    until: number,
  ): Promise<Window> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const list = await table.changes.load(life, partition);
      if (list === undefined || from < list.from) throw changesPassed();
      const range = { from, until, most: CHANGES_AT_ONCE };
      const found = await loadChanges(table, { life, partition }, list, range);
      if (found !== undefined) return { ...found, from };
    }
    throw new LedgerError("store-unavailable", {
      detail: "The list of changes keeps changing. Nothing was changed; try again shortly.",
      retryAfterSeconds: 1,
    });
  }

  /**
   * Returns the next changes of a partition, from the list or from memory. The row of a deleted
   * key goes in the end, so only the lists of later epochs tell which deletions are not the last
   * change of their key.
   */
  async function loadWindow(
    stream: Stream,
    { run, starts }: Bootstrap,
    { partition, from, since }: Place,
  ): Promise<Window> {
    const { life } = stream;
    const name = `${life}#${run}#${partition}`;
    const known = remembered.get(name);
    if (known !== undefined && known.from <= from && from < known.to) return known;
    const window = await readWindow({ life, partition }, from, starts[partition] ?? 1);
    const deleted = window.changes.filter(({ deletion }) => deletion !== undefined);
    const replaced = new Set<string>();
    for (const epoch of epochsOf(stream).filter(({ first }) => first > partition)) {
      const keys = Map.groupBy(
        deleted.map(({ key }) => key),
        (key) => chainIn(key, epoch),
      );
      await inParallel([...keys.keys()], PARTITIONS_AT_ONCE, async (later) => {
        const own = new Set(keys.get(later));
        const until = starts[later] ?? 1;
        for (let at = since[later]?.next ?? 1; at < until; ) {
          const { changes, to } = await readWindow({ life, partition: later }, at, until);
          for (const { key } of changes) if (own.has(key)) replaced.add(key);
          at = to;
        }
      });
    }
    const changes = window.changes.filter(({ key }) => !replaced.has(key));
    remembered.set(name, { ...window, changes });
    return { ...window, changes };
  }

  /**
   * Returns the next page: the keys that changed, each at its last change before the snapshot, and
   * deletions. A page may be empty and not be the last.
   */
  async function loadPage(
    stream: Stream,
    known: Bootstrap,
    { limit, prefix = "", matches }: SnapshotRange,
  ): Promise<SnapshotPage> {
    const bootstrap = withLaterStarts(stream, known);
    const { difference, starts } = bootstrap;
    if (difference === undefined || !isOpen(bootstrap, clock.now())) throw bootstrapExpired();
    const since = sinceIn(stream, difference);
    const page = emptyPage(limit, bootstrap.exactFrom);
    const { events, exactFrom } = page;
    let [partition, at] = placeOf(bootstrap);
    for (; partition < starts.length; partition++, at = 0) {
      const until = starts[partition] ?? 1;
      at = Math.max(at, since[partition]?.next ?? 1);
      while (at < until) {
        const window = await loadWindow(stream, bootstrap, { partition, from: at, since });
        const changes = window.changes.filter(
          ({ key, sequence }) => sequence >= at && key.startsWith(prefix),
        );
        const next = await fill(stream, page, { partition, changes }, { limit, matches });
        if (next !== undefined) {
          const scan = formatChangeScan(partition, next);
          return { events, bootstrap: { ...bootstrap, exactFrom, scan }, ended: false };
        }
        at = window.to;
      }
    }
    const checkpoints = await loadCheckpoints(table, stream.life, chainCount(stream));
    const scanned = { ...bootstrap, exactFrom, scan: formatScan(COMPACTED_BUCKETS) };
    return { events, bootstrap: planScanEnd(scanned, checkpoints), ended: true };
  }

  /** Fills a page with changes of a partition. If it is full, returns where the next one begins. */
  async function fill(
    stream: Stream,
    page: DifferencePage,
    { partition, changes }: { readonly partition: number; readonly changes: readonly Change[] },
    { limit, matches }: Pick<SnapshotRange, "limit" | "matches">,
  ): Promise<number | undefined> {
    let next: number | undefined;
    for (let from = 0; from < changes.length; ) {
      const some = changes.slice(from, from + planLooks(page.room, limit));
      const rows = await loadRows(stream.life, some);
      for (const [index, change] of some.entries()) {
        const row = rows[index];
        if (row !== undefined && row.partition >= chainCount(stream)) throw new TurnReached();
        if (!takeChange(page, { partition, change, row }, matches)) return change.sequence;
        next = change.sequence + 1;
      }
      from += some.length;
      if (isFull(page.room)) return next;
    }
    return undefined;
  }

  const loadRows = (life: Life, changes: readonly Change[]) =>
    table.compacted.loadEach(
      life,
      changes.map(({ key }) => ({ bucket: bucketOf(key), key })),
    );

  return { begin, loadPage };
}

export type Differences = ReturnType<typeof createDifferences>;

function placeOf(bootstrap: Bootstrap): [partition: number, next: number] {
  const scan = scanOf(bootstrap);
  return scan.state === "changes" ? [scan.partition, scan.next] : [0, 0];
}
