import type { Lag } from "@eventledger/protocol";
import type { Clock } from "../../kernel/clock.ts";
import { type Archived, isArchived } from "../../model/archive.ts";
import { batchTimeAt } from "../../model/batch-times.ts";
import { type Epoch, isDrained, type Partitioned } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import { lostBetween } from "../../model/restored.ts";
import type { BatchOutline } from "../../table/batch.ts";
import type { Checkpoint } from "../../table/checkpoint.entity.ts";
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
  return measure(deps.clock, { partitions: runs.length, epochs }, runs, (partition, run) =>
    lagOf(deps, life, partition, run),
  );
}

/**
 * Measures the same for several readers at once, in few requests. It reads the batches after all
 * positions together, except those that the checkpoints know, and the last batch of each partition
 * once.
 */
export async function measureLags(
  deps: ReadDeps,
  life: Life,
  readers: readonly (readonly Position[])[],
  epochs?: readonly Epoch[],
): Promise<Lag[]> {
  const nameOf = (partition: number, { batch, next }: Position) => `${partition}:${batch}:${next}`;
  const places = new Map<string, Position & { readonly partition: number }>();
  for (const positions of readers) {
    for (const [partition, position] of positions.entries()) {
      if (isDrained({ partitions: positions.length, epochs }, partition, position)) continue;
      places.set(nameOf(partition, position), { ...position, partition });
    }
  }
  const partitions = new Set(Array.from(places.values(), ({ partition }) => partition));
  // All lags below then find the checkpoints in memory.
  const checkpoints = new Map(
    await Promise.all(
      Array.from(partitions, async (partition) => {
        return [partition, await deps.checkpoints.recall(life, partition)] as const;
      }),
    ),
  );
  const times = new Map<string, number | "none">();
  for (const [name, { partition, ...position }] of places) {
    const time = compactedTimeAt(checkpoints.get(partition), position);
    if (time !== undefined) times.set(name, time);
  }
  const unknown = new Map([...places].filter(([name]) => !times.has(name)));
  for (const [name, time] of await loadTimesAfter(deps, life, unknown)) times.set(name, time);
  const lasts = new Map<number, ReturnType<ReadDeps["lastBatches"]["load"]>>();
  const once: ReadDeps = {
    ...deps,
    lastBatches: {
      load: (of, partition, { compacted }) => {
        const any = { compacted, position: { batch: 0, next: 1 } };
        const last = lasts.get(partition) ?? deps.lastBatches.load(of, partition, any);
        lasts.set(partition, last);
        return last;
      },
    },
  };
  const lags = new Map<string, ReturnType<typeof lagOf>>();
  const lagAt = (partition: number, { position }: PartitionRun) => {
    const name = nameOf(partition, position);
    const lag =
      lags.get(name) ?? lagWith(once, life, partition, { position, time: times.get(name) });
    lags.set(name, lag);
    return lag;
  };
  return Promise.all(
    readers.map((positions) => {
      const runs = positions.map((position) => ({ position, ...UNREAD }));
      return measure(deps.clock, { partitions: positions.length, epochs }, runs, lagAt);
    }),
  );
}

/** Returns the lag at a position whose next event, if it is known, has this time. */
async function lagWith(
  deps: ReadDeps,
  life: Life,
  partition: number,
  { position, time }: { readonly position: Position; readonly time: number | "none" | undefined },
) {
  if (time !== "none") {
    return lagOf(deps, life, partition, { position, atEnd: false, nextPublishedAt: time });
  }
  // Without a batch there, the chain ends there, unless the batch has expired.
  const { next } = await deps.checkpoints.recall(life, partition);
  return lagOf(deps, life, partition, { position, ...UNREAD, atEnd: next <= position.next });
}

const UNREAD = { atEnd: false, nextPublishedAt: undefined };

/**
 * Returns the publication times of the events that follow some places, by the names of the places.
 * A place is missing if its event is not in the batch that a chain without gaps has there. "none":
 * there is no batch.
 */
async function loadTimesAfter(
  { table }: Pick<ReadDeps, "table">,
  life: Life,
  places: ReadonlyMap<string, Position & { readonly partition: number }>,
): Promise<ReadonlyMap<string, number | "none">> {
  const named = [...places];
  const batches = await table.batches.loadOutlinesOf(
    life,
    named.map(([, { partition, batch }]) => ({ partition, first: batch })),
  );
  return new Map(
    named.flatMap(([name, place], index): [string, number | "none"][] => {
      const batch = batches[index];
      if (batch === undefined) return place.batch === place.next ? [[name, "none"]] : [];
      const isNext = batch.kind !== "jump" && batch.first + batch.count > place.next;
      return isNext ? [[name, batch.publishedAt]] : [];
    }),
  );
}

/** Adds up the lags of the partitions. */
async function measure(
  clock: Clock,
  stream: Partitioned,
  runs: readonly PartitionRun[],
  lagAt: (partition: number, run: PartitionRun) => ReturnType<typeof lagOf>,
): Promise<Lag> {
  const lags = await Promise.all(
    runs.map((run, partition) =>
      isDrained(stream, partition, run.position) ? NONE : lagAt(partition, run),
    ),
  );
  const oldest = Math.min(...lags.map(({ oldestAt }) => oldestAt));
  return {
    events: lags.reduce((sum, { events }) => sum + events, 0),
    seconds: oldest === Infinity ? 0 : Math.max(0, clock.now() - oldest) / 1_000,
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
    const known = compactedTimeAt(checkpoint, position);
    return known ?? (await loadFollowing({ table }, life, partition, position))?.publishedAt;
  }
}

/** Returns the time of the event after a position if the checkpoint knows it. */
const compactedTimeAt = (
  checkpoint: Checkpoint | undefined,
  { next }: Position,
): number | undefined =>
  checkpoint !== undefined && next >= checkpoint.floor
    ? batchTimeAt(checkpoint.times, next)
    : undefined;

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
