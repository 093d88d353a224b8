import type { Lag } from "@eventledger/protocol";
import { type Archived, isArchived } from "../../model/archive.ts";
import { batchTimeAt } from "../../model/batch-times.ts";
import { type Epoch, isDrained } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import { lostBetween } from "../../model/restored.ts";
import type { BatchOutline } from "../../table/batch.ts";
import { timeOfCold } from "../cold/cold-read.ts";
import type { PartitionRun, ReadDeps } from "./read-run.ts";

/**
 * Measures how far the ends are ahead of a reader's positions: the events over all partitions, and
 * the age of the oldest of them in seconds. Partitions that were just read to their end cost
 * nothing. For the others, it looks for the end after what is compacted. It reads the next batch
 * only if neither the caller nor the checkpoint knows its time.
 */
export async function measureLag(
  deps: ReadDeps,
  life: Life,
  runs: readonly PartitionRun[],
  epochs?: readonly Epoch[],
): Promise<Lag> {
  const stream = { partitions: runs.length, epochs };
  const lags = await Promise.all(
    runs.map((run, partition) =>
      isDrained(stream, partition, run.position) ? NONE : lagOf(deps, life, partition, run),
    ),
  );
  const oldest = Math.min(...lags.map(({ oldestAt }) => oldestAt));
  return {
    events: lags.reduce((sum, { events }) => sum + events, 0),
    seconds: oldest === Infinity ? 0 : Math.max(0, deps.clock.now() - oldest) / 1_000,
  };
}

const NONE = { events: 0, oldestAt: Infinity };

async function lagOf(
  { table, checkpoints, lastBatches, segments }: ReadDeps,
  life: Life,
  partition: number,
  { atEnd, position, nextPublishedAt }: PartitionRun,
) {
  if (atEnd) return NONE;
  const checkpoint = await checkpoints.recall(life, partition);
  const { next, lost, compactedThrough } = checkpoint;
  const end = await lastBatches.load(life, partition, { compacted: next, position });
  const events = end.next - position.next - lostBetween(lost, position.next, end.next);
  if (events <= 0) return NONE;
  const oldestAt = nextPublishedAt ?? (await timeAfter(end.last));
  return { events, oldestAt: oldestAt ?? end.last?.publishedAt ?? compactedThrough };

  async function timeAfter(last: BatchOutline | undefined): Promise<number | undefined> {
    if (last?.kind === undefined && last?.first === position.next) return last.publishedAt;
    if (isBelowFloor(checkpoint, position)) {
      return timeOfCold(segments, { ...checkpoint, life, partition }, position.next);
    }
    const known = batchTimeAt(checkpoint.times, position.next);
    if (known !== undefined && position.next >= checkpoint.floor) return known;
    return (await loadFollowing({ table }, life, partition, position))?.publishedAt;
  }
}

const isBelowFloor = (checkpoint: Archived, { next }: Position): boolean =>
  next < checkpoint.floor && isArchived(checkpoint, next);

/** Returns the first batch with an event at or after a position. A page may end before it. */
async function loadFollowing(
  { table }: Pick<ReadDeps, "table">,
  life: Life,
  partition: number,
  { batch, next }: Position,
): Promise<BatchOutline | undefined> {
  // A position at an edge needs the one batch there. Each may be large.
  for (let [from, limit] = [batch, next > batch ? 2 : 1]; ; limit = 2) {
    const { batches, more } = await table.batches.loadOutlines(life, partition, from, limit);
    const following = batches.find(
      ({ first, count, kind }) => kind !== "jump" && first + count > next,
    );
    const last = batches.at(-1);
    if (following !== undefined || !more || last === undefined) return following;
    from = last.first + Math.max(1, last.count);
  }
}
