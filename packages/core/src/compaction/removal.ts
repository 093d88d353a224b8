import { LIMITS } from "@eventledger/protocol";
import type { Clock } from "../kernel/clock.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import { CLOCKS_APART_MS, type Sightings } from "../model/sightings.ts";
import { COMPACTED_BUCKETS } from "../model/snapshot-progress.ts";
import type { DeletedPage } from "../table/in-part.ts";
import type { RemovalRow } from "../table/removal.entity.ts";
import type { Table } from "../table/table.ts";
import { keepLastHours } from "./usage.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly sightings?: Sightings | undefined;
  readonly removeArchive: RemoveArchive;
};

/**
 * Removes a page of the archive of an ended life: its objects, then their rows. `isLocked` says
 * that everything is removed except objects with locks.
 */
export type RemoveArchive = (
  job: RemovalRow,
) => Promise<DeletedPage & { readonly isLocked?: true }>;

/**
 * Grace period before the data of an ended life is removed, counted from the seal of its last
 * chain. It exceeds the age of any cached look at the life, any put in flight, and any compaction
 * (10 min). By another process's clock, the period is longer by the allowed clock skew. By this
 * process's own observation, it is exact.
 */
const REST_MS = 30 * MINUTE_MS;

const COUNT_EVERY = 500;

/**
 * Removes the remaining data of an ended life, until all is removed or `mayGoOn` returns false.
 * Before that it counts what the life has published, because usage outlives the stream.
 * Seals stay forever, because they stop every late writer. Checkpoints are removed last: a
 * partition without one counts as deleted. Every step may be repeated after a crash. Returns true
 * when all data and the job are removed.
 */
export async function runRemoval(
  { table, clock, sightings, removeArchive }: Deps,
  job: RemovalRow,
  mayGoOn: () => boolean,
): Promise<{ done: boolean; removed: number }> {
  const { life, sealedAt } = job;
  if (sealedAt === undefined) return { done: false, removed: 0 };
  const nowMs = clock.now();
  const seenMs = sightings === undefined ? 0 : nowMs - sightings.sealedSince(life);
  if (Math.max(seenMs, nowMs - sealedAt - CLOCKS_APART_MS) < REST_MS) {
    return { done: false, removed: 0 };
  }
  for (let partition = 0; partition < job.partitions; partition++) {
    const isKept = await keepLastHours({ table, clock }, { life, sealedAt }, partition);
    if (!isKept) return { done: false, removed: 0 };
  }
  let removed = 0;
  let uncounted = 0;
  let locked = isLocked(job, nowMs);
  const count = async (rows: number, least: number) => {
    removed += rows;
    uncounted += rows;
    if (uncounted < least) return;
    await table.removals.count(life, uncounted);
    uncounted = 0;
  };
  for (const deletePage of pagesOf({ table, removeArchive }, job, nowMs)) {
    for (let more = true; more; ) {
      if (!mayGoOn()) {
        await count(0, 1);
        return { done: false, removed };
      }
      const page = await deletePage();
      more = page.more;
      locked ||= page.isLocked ?? false;
      await count(page.rows, COUNT_EVERY);
    }
  }
  // The job stays, so that the archive is removed when its locks have ended.
  if (locked) {
    await count(0, 1);
    return { done: false, removed };
  }
  for (let partition = 0; partition < job.partitions; partition++) {
    await table.checkpoints.remove(life, partition);
  }
  await table.removals.remove(life);
  return { done: true, removed };
}

type DeletePage = () => Promise<DeletedPage & { readonly isLocked?: true }>;

/** Yields everything to remove, in order. */
function* pagesOf(
  { table, removeArchive }: Pick<Deps, "table" | "removeArchive">,
  job: RemovalRow,
  nowMs: number,
): Generator<DeletePage> {
  const { life, name, uid, partitions } = job;
  let after: string | undefined;
  yield async () => {
    const page = await table.subscriptions.list(name, uid, LIMITS.listMax, after);
    for (const row of page.subscriptions) {
      await table.lifecycle.removeSubscription(life, row, partitions);
    }
    after = page.next ?? undefined;
    return { rows: page.subscriptions.length, more: page.next !== null };
  };
  for (let partition = 0; partition < partitions; partition++) {
    yield () => table.batches.deletePage(life, partition);
  }
  for (let bucket = 0; bucket < COMPACTED_BUCKETS; bucket++) {
    yield () => table.compacted.deletePage(life, bucket);
  }
  for (let partition = 0; partition < partitions; partition++) {
    yield () => table.changes.deletePage(life, partition);
  }
  yield () => table.receipts.deletePage(life);
  yield () => table.erasures.deletePage(life);
  if (job.isArchived === true && !isLocked(job, nowMs)) yield () => removeArchive(job);
}

const isLocked = ({ lockedUntil = 0 }: RemovalRow, nowMs: number): boolean => lockedUntil > nowMs;
