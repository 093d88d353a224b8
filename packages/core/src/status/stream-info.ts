import { LIMITS, type Stream, type StreamInfo } from "@eventledger/protocol";
import type { Clock } from "../kernel/clock.ts";
import { type EndPlace, loadEndPlace } from "../log/end.ts";
import { type Archived, earliestOf } from "../model/archive.ts";
import { batchTimeAt } from "../model/batch-times.ts";
import { chainsOf, type Epoch } from "../model/epochs.ts";
import { bareName, lifeText } from "../model/names.ts";
import { lostBetween } from "../model/restored.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import { describeArchive, sumArchive } from "./archive-info.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/** Returns a stream's configuration in the form that its owner sees. */
export const toStream = (row: StreamRow): Stream => ({
  name: bareName(row.name),
  description: row.description,
  partitions: row.partitions,
  ...(row.auto === undefined ? {} : { autoPartitions: row.auto }),
  compaction: row.compaction,
  retentionHours: row.retentionHours,
  ...(row.archiveDays === null ? {} : { archiveDays: row.archiveDays }),
  ...(row.archiveLock === undefined ? {} : { archiveLock: row.archiveLock }),
  ...(row.epochs === undefined ? {} : { epochs: describeEpochs(row, row.epochs) }),
  ...(row.growing === undefined ? {} : { nextPartitions: row.growing }),
  createdAt: new Date(row.createdAt).toISOString(),
  life: lifeText(row),
});

const describeEpochs = (
  { createdAt }: Pick<StreamRow, "createdAt">,
  epochs: readonly Epoch[],
): NonNullable<Stream["epochs"]> =>
  epochs.map(({ partitions, from, at }) => ({
    partitions,
    firstSequence: from,
    since: new Date(Math.max(createdAt, at)).toISOString(),
  }));

/**
 * Describes a stream and its current content. It costs a few reads per partition, whatever the
 * stream holds.
 */
export async function describeStream(
  deps: Deps,
  stream: LiveStream,
): Promise<Omit<StreamInfo, "subscriptions">> {
  const [numbers, subscriptionCount] = await Promise.all([
    measureStream(deps, stream),
    countSubscriptions(deps, stream),
  ]);
  return { ...toStream(stream), ...numbers, subscriptionCount };
}

/** The size and age of a stream's content. */
export type StreamNumbers = Pick<
  StreamInfo,
  | "eventCount"
  | "bytes"
  | "firstEventAt"
  | "lastEventAt"
  | "watermarkLag"
  | "crowdedMinutes"
  | "archive"
>;

/**
 * Measures the current content of a stream with at most five reads per partition, one more for a
 * partition that has ended, and two more if the stream has an archive. None of these reads is for
 * events.
 */
export async function measureStream(
  deps: Deps,
  stream: Pick<LiveStream, "life" | "partitions" | "epochs" | "auto">,
): Promise<StreamNumbers> {
  const parts = await Promise.all(
    chainsOf(stream).map((partition) => describePartition(deps, stream, partition)),
  );
  const sum = (of: (part: (typeof parts)[number]) => number) =>
    parts.reduce((total, part) => total + of(part), 0);
  const pending = Math.min(...parts.map(({ pendingAt }) => pendingAt));
  const archives = parts.map(({ archive }) => archive);
  const archive = sumArchive(archives, deps.clock.now());
  return {
    ...(archive === undefined ? {} : { archive }),
    ...(stream.auto === true
      ? { crowdedMinutes: Math.max(...parts.map((part) => part.crowdedMinutes)) }
      : {}),
    eventCount: sum(({ events }) => events),
    bytes: sum(({ bytes }) => bytes),
    firstEventAt: toTime(Math.min(...parts.map(({ firstAt }) => firstAt))),
    lastEventAt: toTime(Math.max(...parts.map(({ lastAt }) => lastAt))),
    watermarkLag: {
      events: sum(({ lag }) => lag),
      seconds: pending === Infinity ? 0 : Math.max(0, deps.clock.now() - pending) / 1_000,
    },
  };
}

async function describePartition(
  { table, clock }: Deps,
  { life }: Pick<LiveStream, "life">,
  partition: number,
) {
  const end = await loadEndPlace({ table, clock }, life, partition);
  const { next, floor, bytes, lost, times } = end.checkpoint;
  const lag = end.next - next - lostBetween(lost, next, end.next);
  const timeFrom = async (sequence: number) => {
    if (sequence >= end.next) return Infinity;
    const known = batchTimeAt(times, sequence);
    if (known !== undefined) return known;
    const { batches } = await table.batches.loadOutlines(life, partition, sequence, 2);
    return batches.find(({ kind }) => kind !== "jump")?.publishedAt ?? Infinity;
  };
  const keptAt = await timeFrom(floor);
  const isHot = earliestOf(end.checkpoint) === floor;
  const chain = { ...end.checkpoint, life, partition };
  const firstAt = isHot ? keptAt : ((await oldestOf({ table }, chain)) ?? keptAt);
  return {
    archive: await describeArchive(end, timeFrom),
    events: end.checkpoint.events + lag,
    crowdedMinutes: end.checkpoint.crowding?.[3] ?? 0,
    lag,
    bytes,
    firstAt,
    lastAt: await lastTimeOf({ table }, { life, partition }, end),
    pendingAt: next === floor ? keptAt : await timeFrom(next),
  };
}

/** Returns when the last event that the table keeps was published. */
async function lastTimeOf(
  { table }: Pick<Deps, "table">,
  { life, partition }: Place,
  { next, last, checkpoint }: EndPlace,
): Promise<number> {
  if (last === undefined) {
    const known = batchTimeAt(checkpoint.times, next - 1);
    if (known !== undefined) return known;
  }
  const end = last ?? (await table.batches.loadLast(life, partition));
  // A row without events ends a chain.
  const events =
    end?.kind === undefined ? end : await table.batches.loadLastEvents(life, partition);
  return events?.publishedAt ?? -Infinity;
}

/** Returns when the first archived event was published. */
async function oldestOf(
  { table }: Pick<Deps, "table">,
  { life, partition, archivedFrom = 1 }: Archived & Place,
): Promise<number | undefined> {
  return (await table.segments.loadAtOrBefore({ life, partition }, archivedFrom))?.firstAt;
}

type Place = { readonly life: LiveStream["life"]; readonly partition: number };

async function countSubscriptions({ table }: Deps, { name, uid }: LiveStream): Promise<number> {
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const page = await table.subscriptions.countFrom(
      name,
      uid,
      LIMITS.listedSubscriptionsMax,
      after,
    );
    count += page.count;
    if (page.next === null) return count;
    after = page.next;
  }
}

const toTime = (ms: number): string | null =>
  Number.isFinite(ms) ? new Date(ms).toISOString() : null;
