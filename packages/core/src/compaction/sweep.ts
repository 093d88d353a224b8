import { ageMs, takeStamp } from "../kernel/clock.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import type { Random } from "../kernel/random.ts";
import { chainsOf } from "../model/epochs.ts";
import { type Life, lifeOf } from "../model/names.ts";
import { allStreams } from "../stream/all-streams.ts";
import { assertRestored } from "../stream/live-streams.ts";
import type { RemovalRow } from "../table/removal.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { PartitionCompaction } from "./compact.ts";
import type { CompactDeps } from "./compact-deps.ts";
import { moveFloor } from "./floor.ts";
import { recountStream } from "./recount.ts";
import { type RemoveArchive, runRemoval } from "./removal.ts";
import { codeOf, isGone, type Stuck, tryCompact } from "./try-compact.ts";

type SweepDeps = CompactDeps & {
  readonly random: Random;
  /** Seals the remaining partitions of an ended life and frees its name. */
  readonly finishEnd: (row: Pick<StreamRow, "name" | "uid" | "partitions">) => Promise<void>;
  /** Leads a stream that turns into its next epoch: see `bringOn`. */
  readonly bringOn: (life: Life, row: StreamRow) => Promise<unknown>;
  /** Does the periodic work of the archive of one partition. */
  readonly visitArchive: (
    stream: StreamRow,
    partition: number,
    mayGoOn: () => boolean,
  ) => Promise<ArchiveWork>;
  /** Removes the archive of an ended life: see `runRemoval`. */
  readonly removeArchive: RemoveArchive;
};

type ArchiveWork = {
  readonly segments: number;
  readonly segmentsRemoved: number;
  readonly batchesRemoved: number;
  readonly done: boolean;
};

/**
 * The result of a sweep. `done` is false when its time ran out before it had visited everything.
 */
export type SweepResult = {
  readonly partitions: number;
  readonly compactedEvents: number;
  readonly keys: number;
  readonly floorsMoved: number;
  /**
   * The numbers of segments written and removed, and of archived batches removed from the table.
   */
  readonly segments: number;
  readonly segmentsRemoved: number;
  readonly batchesRemoved: number;
  readonly endsFinished: number;
  readonly rowsRemoved: number;
  readonly livesRemoved: number;
  readonly stuck: readonly Stuck[];
  readonly done: boolean;
};

const PARTITIONS_AT_ONCE = 8;
/** A segment takes up to 30 MB of memory while it is written. */
const ARCHIVES_AT_ONCE = 4;
/** No partition uses more of a sweep's time than this while others wait. */
const PARTITION_BUDGET_MS = 20_000;

/**
 * Visits every partition of every stream: compacts it, renews the proof that its numbering is safe,
 * and moves its floor. It also finishes interrupted deletions and removes the remaining data of
 * ended lives. Each sweep visits streams in a new order, so a short budget starves none. A failure
 * in one partition or life does not delay the others. May be repeated after a crash, and run
 * concurrently.
 */
export async function sweep(
  deps: SweepDeps,
  { budgetMs }: { budgetMs: number },
): Promise<SweepResult> {
  const { table, clock } = deps;
  const began = takeStamp(clock);
  const mayGoOn = () => ageMs(clock, began) < budgetMs;
  const total = { compactedEvents: 0, keys: 0, partitions: 0, floorsMoved: 0 };
  const stuck: Stuck[] = [];
  const unsized = new Set<StreamRow>();
  let done = true;
  const partitions = rotate(await listPartitions(deps), deps.random.fraction());
  await inParallel(partitions, PARTITIONS_AT_ONCE, async (at) => {
    if (!mayGoOn()) {
      done = false;
      return;
    }
    const left = Math.max(0, budgetMs - ageMs(clock, began));
    const result = await sweepPartition(deps, at, Math.min(left, PARTITION_BUDGET_MS));
    total.partitions++;
    if ("error" in result) {
      stuck.push(result);
      return;
    }
    total.compactedEvents += result.events;
    total.keys += result.keys;
    total.floorsMoved += result.floorMoved ? 1 : 0;
    if (result.isUnsized) unsized.add(at.stream);
    done &&= result.done;
  });
  await finishTurns(deps, partitions, stuck);
  await recountStates(deps, unsized, { stuck, mayGoOn });
  const archives = await visitArchives(deps, partitions, mayGoOn);
  const ends = await finishEnds(deps, await table.removals.list(), mayGoOn);
  return {
    ...total,
    ...archives,
    ...ends,
    stuck: [...stuck, ...archives.stuck, ...ends.stuck],
    done: done && archives.done && ends.done,
  };
}

/** Leads streams into their next epoch whose change of partitions was interrupted. */
async function finishTurns(
  { bringOn }: SweepDeps,
  partitions: readonly StreamPartition[],
  stuck: Stuck[],
): Promise<void> {
  for (const { stream, partition } of partitions) {
    if (partition !== 0 || stream.growing === undefined || stream.copied) continue;
    try {
      await bringOn(lifeOf(stream.name, stream.uid), stream);
    } catch (error) {
      if (isGone(error)) continue;
      stuck.push({ stream: stream.name, partition, code: codeOf(error), failures: 1, error });
    }
  }
}

/** Counts compacted states whose size is unknown. */
async function recountStates(
  deps: SweepDeps,
  streams: Iterable<StreamRow>,
  { stuck, mayGoOn }: { readonly stuck: Stuck[]; readonly mayGoOn: () => boolean },
): Promise<void> {
  for (const stream of streams) {
    try {
      await recountStream(deps, { ...stream, life: lifeOf(stream.name, stream.uid) }, mayGoOn);
    } catch (error) {
      if (isGone(error)) continue;
      stuck.push({ stream: stream.name, code: codeOf(error), failures: 1, error });
    }
  }
}

/**
 * Visits the archives after all partitions are compacted, so a slow bucket never delays compaction.
 * A stream that never had an archive costs nothing. A failure in one does not delay the others.
 */
async function visitArchives(
  { visitArchive }: SweepDeps,
  partitions: readonly StreamPartition[],
  mayGoOn: () => boolean,
): Promise<
  Pick<SweepResult, "segments" | "segmentsRemoved" | "batchesRemoved" | "stuck" | "done">
> {
  let [segments, segmentsRemoved, batchesRemoved, done] = [0, 0, 0, true];
  const stuck: Stuck[] = [];
  const archived = partitions.filter(({ stream }) => hasArchive(stream));
  await inParallel(archived, ARCHIVES_AT_ONCE, async ({ stream, partition }) => {
    if (!mayGoOn()) {
      done = false;
      return;
    }
    try {
      const visit = await visitArchive(stream, partition, mayGoOn);
      segments += visit.segments;
      segmentsRemoved += visit.segmentsRemoved;
      batchesRemoved += visit.batchesRemoved;
      done &&= visit.done;
    } catch (error) {
      if (isGone(error)) return;
      stuck.push({ stream: stream.name, partition, code: codeOf(error), failures: 1, error });
    }
  });
  return { segments, segmentsRemoved, batchesRemoved, stuck, done };
}

/** A copy of a stream is left as it is until its restore is complete. */
const hasArchive = ({ archiveKeptDays, copied }: StreamRow): boolean =>
  archiveKeptDays !== undefined && copied === undefined;

type StreamPartition = { readonly stream: StreamRow; readonly partition: number };

async function listPartitions({ table }: SweepDeps): Promise<StreamPartition[]> {
  const found: StreamPartition[] = [];
  for await (const stream of allStreams(table)) {
    for (const partition of chainsOf(stream)) found.push({ stream, partition });
  }
  return found;
}

function rotate<T>(items: readonly T[], fraction: number): T[] {
  const start = Math.floor(items.length * fraction);
  return [...items.slice(start), ...items.slice(0, start)];
}

async function sweepPartition(
  deps: CompactDeps,
  { stream, partition }: StreamPartition,
  budgetMs: number,
): Promise<(PartitionCompaction & { floorMoved: boolean }) | Stuck> {
  const life = lifeOf(stream.name, stream.uid);
  const pending = await nameTable(deps, stream);
  if (pending !== undefined) return { stream: stream.name, partition, failures: 1, ...pending };
  const result = await tryCompact(deps, { ...stream, life }, partition, budgetMs);
  if ("error" in result) return result;
  try {
    return { ...result, floorMoved: await moveFloor(deps, { ...stream, life }, partition) };
  } catch (error) {
    if (isGone(error)) return { ...result, floorMoved: false };
    return { stream: stream.name, partition, code: codeOf(error), failures: 1, error };
  }
}

/**
 * A copy stays unchanged until its restore is complete. Rows of older versions get the name of
 * their table.
 */
async function nameTable({ table }: CompactDeps, stream: StreamRow) {
  try {
    assertRestored(stream);
    if (stream.table === undefined) await table.streams.nameTable(stream.name, stream.uid);
    return undefined;
  } catch (error) {
    return { code: codeOf(error), error };
  }
}

/** Finishes each ended life. A failure in one does not delay the others. */
async function finishEnds(
  deps: SweepDeps,
  jobs: readonly RemovalRow[],
  mayGoOn: () => boolean,
): Promise<Pick<SweepResult, "endsFinished" | "rowsRemoved" | "livesRemoved" | "stuck" | "done">> {
  const total = { endsFinished: 0, rowsRemoved: 0, livesRemoved: 0 };
  const stuck: Stuck[] = [];
  let cut = false;
  for (const job of jobs) {
    if (!mayGoOn()) return { ...total, stuck, done: false };
    try {
      if (job.sealedAt === undefined) {
        await deps.finishEnd(job);
        total.endsFinished++;
      }
      const removal = await runRemoval(deps, job, mayGoOn);
      total.rowsRemoved += removal.removed;
      total.livesRemoved += removal.done ? 1 : 0;
      cut ||= !removal.done && !mayGoOn();
    } catch (error) {
      stuck.push({ stream: job.name, code: codeOf(error), failures: 1, error });
    }
  }
  return { ...total, stuck, done: stuck.length === 0 && !cut };
}
