import { chainCount, chainIn, chainsOf, endOfChain, lastEpoch } from "../model/epochs.ts";
import { COMPACTED_BUCKETS } from "../model/snapshot-progress.ts";
import { endingWith, type HourTally, hourOf } from "../model/usage.ts";
import type { Checkpoint, Recount } from "../table/checkpoint.entity.ts";
import type { CompactedRow } from "../table/compacted-row.ts";
import { sizeBelow } from "../table/compacted-versions.ts";
import type { Compactable, CompactDeps } from "./compact-deps.ts";
import { openRecount, stateBytes, stateSizeOf } from "./state-size.ts";

const ROWS = 1_000;

/**
 * Counts the compacted state of a stream again, where its size is unknown: after a restore, after a
 * repair, and after an earlier version of the product has compacted. Reads the rows once for each
 * partition of the last epoch, page by page. Compaction goes on meanwhile, and changes the count of
 * the keys that it has passed. May be repeated after a crash, and run concurrently.
 */
export async function recountStream(
  deps: Pick<CompactDeps, "table" | "clock">,
  stream: Compactable,
  mayGoOn: () => boolean,
): Promise<void> {
  if (stream.compaction !== "key") return;
  if (!(await beginAll(deps, stream))) return;
  const { first } = lastEpoch(stream);
  for (let partition = first; partition < chainCount(stream); partition++) {
    if (!(await recountPartition(deps, stream, partition, mayGoOn))) return;
  }
}

/**
 * Begins the count in each partition, if one has neither a size nor a count. Those with neither
 * come last, so that a crash on the way begins all of them again. Keys count in the last epoch from
 * now on, and the partitions of earlier ones are empty. Returns false while compaction has not
 * reached the last epoch.
 */
async function beginAll(
  { table, clock }: Pick<CompactDeps, "table" | "clock">,
  stream: Compactable,
): Promise<boolean> {
  const { life } = stream;
  const checkpoints = new Map<number, Checkpoint>();
  for (const partition of chainsOf(stream)) {
    const checkpoint = await table.checkpoints.load(life, partition);
    if (checkpoint === undefined) return false;
    if (checkpoint.next < (endOfChain(stream, partition) ?? 0)) return false;
    checkpoints.set(partition, checkpoint);
  }
  const { first } = lastEpoch(stream);
  // A count in a partition that has ended since goes on nowhere.
  const isUnknown = ([partition, checkpoint]: [number, Checkpoint]) =>
    stateSizeOf(checkpoint) === undefined &&
    (partition < first || openRecount(checkpoint) === undefined);
  const all = [...checkpoints];
  if (!all.some(isUnknown)) return true;
  const ordered = all.toSorted((a, b) => Number(isUnknown(a)) - Number(isUnknown(b)));
  for (const [partition, checkpoint] of ordered) {
    const { next, usage = [] } = checkpoint;
    const to =
      partition < first
        ? { usage: sizedAt(usage, clock.now(), 0) }
        : { usage: endingWith(usage, undefined), recount: { at: next, bytes: 0 } };
    if (!(await table.checkpoints.recount(life, partition, checkpoint, to))) return false;
  }
  return true;
}

/** Returns hours with this size from the present hour on. */
function sizedAt(usage: readonly HourTally[], nowMs: number, size: number): readonly HourTally[] {
  const isNew = (usage.at(-1)?.[0] ?? 0) < hourOf(nowMs);
  const hours: readonly HourTally[] = isNew ? [...usage, [hourOf(nowMs), 0, 0]] : usage;
  return endingWith(hours, size);
}

/** Returns true when the count of a partition is complete. */
async function recountPartition(
  { table, clock }: Pick<CompactDeps, "table" | "clock">,
  stream: Compactable,
  partition: number,
  mayGoOn: () => boolean,
): Promise<boolean> {
  const { life } = stream;
  for (;;) {
    const checkpoint = await table.checkpoints.load(life, partition);
    const recount = checkpoint && openRecount(checkpoint);
    if (checkpoint === undefined || recount === undefined) {
      return checkpoint !== undefined && stateSizeOf(checkpoint) !== undefined;
    }
    if (!mayGoOn()) return false;
    const { bucket = 0, key: after } = recount.after ?? {};
    const { rows, more } = await table.compacted.loadPage(life, bucket, { after, limit: ROWS });
    const growth = bytesOf(stream, partition, rows, checkpoint.next);
    if (growth === undefined) return false;
    const bytes = recount.bytes + growth;
    const place = placeAfter(bucket, more ? rows.at(-1)?.key : undefined);
    const { usage = [] } = checkpoint;
    const to: Pick<Checkpoint, "usage" | "recount"> =
      place === undefined
        ? { usage: sizedAt(usage, clock.now(), bytes) }
        : { usage, recount: { at: checkpoint.next, bytes, after: place } };
    await table.checkpoints.recount(life, partition, checkpoint, to);
  }
}

/** Returns the size of the rows of a partition. Undefined if one of them does not say it. */
function bytesOf(
  stream: Compactable,
  partition: number,
  rows: readonly CompactedRow[],
  next: number,
): number | undefined {
  let bytes = 0;
  for (const row of rows) {
    if (chainIn(row.key, lastEpoch(stream)) !== partition) continue;
    const size = sizeBelow(row, next);
    if (size === undefined) return undefined;
    bytes += stateBytes(size);
  }
  return bytes;
}

/** No key is empty, so this is before the first key of a bucket. */
const BEFORE_ALL = "";

/** Returns the place after a page of rows. Undefined after the last bucket. */
function placeAfter(bucket: number, key: string | undefined): Recount["after"] {
  if (key !== undefined) return { bucket, key };
  return bucket + 1 < COMPACTED_BUCKETS ? { bucket: bucket + 1, key: BEFORE_ALL } : undefined;
}
