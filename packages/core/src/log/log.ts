import {
  CHAINS_MAX,
  chainsOf,
  type Epoch,
  endOfChain,
  epochAt,
  epochWith,
  type Partitioned,
  startOfChain,
  TurnReached,
} from "../model/epochs.ts";
import type { IncomingEvent } from "../model/event.ts";
import type { Life } from "../model/names.ts";
import { edgeAt, type Position } from "../model/position.ts";
import type { LostRange } from "../model/restored.ts";
import type { Objects } from "../objects/objects.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import { type AppenderDeps, createAppender } from "./append/append.ts";
import { bytesOf, type Published, planRequest, readReceipt } from "./append/request.ts";
import type { AppendTarget } from "./append/waiting.ts";
import { createSegments } from "./cold/segments.ts";
import { assertMayTurn, bringOn } from "./growth.ts";
import { createNotifier } from "./notifier.ts";
import { createBatchSizes } from "./read/batch-sizes.ts";
import { createCheckpointMemory } from "./read/checkpoint-memory.ts";
import { createFormerLives } from "./read/foreign-cursor.ts";
import { measureLag, measureLags } from "./read/lag.ts";
import { createLastBatches } from "./read/last-batches.ts";
import { createNewEvents } from "./read/new-events.ts";
import { type Address, loadEvent } from "./read/one-event.ts";
import { createQuietEnds } from "./read/quiet-ends.ts";
import { type PageRequest, readPage } from "./read/read.ts";
import { type BackRequest, readBack } from "./read/read-back.ts";
import type { PartitionRun, ReadDeps } from "./read/read-run.ts";
import { seekEarliest, seekLatest, seekSequence, seekTime } from "./read/seek.ts";
import { placeOfTime, type TimePlace } from "./read/time-place.ts";
import { endPartition } from "./seal.ts";

/**
 * A place in a stream as a client names it. `timeMs` is in milliseconds since 1970. `pointer`
 * locates a sequence in the request.
 */
export type SeekPoint =
  | "earliest"
  | "latest"
  | { readonly timeMs: number }
  | { readonly sequence: number; readonly pointer: string };

type Chains = Partitioned & { readonly life: Life };

type LogDeps = AppenderDeps & {
  /** The bucket of the archive, if there is one. */
  readonly objects?: Objects | undefined;
  /** Called for each read of an object. */
  readonly observeColdRead?: (() => void) | undefined;
};

/** The log of a table: chains of write-once batches, one chain per partition. */
export function createLog(deps: LogDeps) {
  const checkpoints = createCheckpointMemory(deps);
  const quietEnds = createQuietEnds(deps);
  const readDeps: ReadDeps = {
    ...deps,
    checkpoints,
    quietEnds,
    sizes: createBatchSizes(),
    lastBatches: createLastBatches(deps),
    segments: createSegments(deps),
  };
  const appender = createAppender(deps);
  const notifier = createNotifier();

  /** Seeks in a partition. `end` is where it ends, if it belongs to an earlier epoch. */
  const seekPartition = async (
    life: Life,
    partition: number,
    place: SeekPoint,
    end?: number,
  ): Promise<Position> => {
    if (place === "earliest") return seekEarliest(deps, life, partition);
    if (place === "latest")
      return end === undefined ? seekLatest(deps, life, partition) : edgeAt(end);
    if ("sequence" in place) return seekSequence(deps, life, partition, place, end);
    return seekTime(readDeps, life, partition, place.timeMs, end);
  };

  /**
   * Seeks in all partitions. A sequence is a place in its epoch, so all earlier epochs are read,
   * and none of the later ones.
   */
  const seek = (stream: Chains, place: SeekPoint): Promise<Position[]> => {
    const { life } = stream;
    const isSequence = typeof place === "object" && "sequence" in place;
    const named = isSequence ? epochWith(stream, place.sequence) : undefined;
    const seeks = chainsOf(stream).map(async (partition) => {
      const end = endOfChain(stream, partition);
      const { first, from } = epochAt(stream, partition);
      if (named !== undefined && first > named.first) return edgeAt(from);
      if (named !== undefined && first < named.first) return edgeAt(end ?? from);
      return seekPartition(life, partition, place, end);
    });
    return Promise.all(seeks);
  };

  return {
    /** Wakes waiting polls when this process has published events. */
    notifier,

    /** Appends all events or none. `createAppender` lists the errors. */
    async publish(
      target: AppendTarget,
      events: readonly IncomingEvent[],
      idempotencyKey?: string,
    ): Promise<Published & { replayed: boolean; bytes: number }> {
      if (target.growing !== undefined) throw new TurnReached();
      const request = planRequest(events, target, idempotencyKey);
      const { receipt, replayed } = await appender.append(target, request);
      notifier.notify(target.life);
      const bytes = bytesOf(request);
      return { ...readReceipt(request, target, receipt), replayed, bytes };
    },

    /** See `createNewEvents`. */
    hasNewEvents: createNewEvents(deps),

    /** See `readPage`. */
    read: (life: Life, positions: readonly Position[], page: PageRequest) =>
      readPage(readDeps, life, positions, page),

    /** See `readBack`. */
    readBack: (life: Life, positions: readonly (Position | undefined)[], request: BackRequest) =>
      readBack(readDeps, life, positions, request),

    /** See `loadEvent`. */
    loadEvent: (life: Life, address: Address) => loadEvent(readDeps, life, address),

    /** Returns the positions of a place, one per partition, strongly consistent. */
    seek,

    seekPartition,

    /** Returns the position that a cursor names in a partition by a time. See `placeOfTime`. */
    placeOfTime: (stream: Chains, partition: number, place: TimePlace): Promise<Position> => {
      const start = startOfChain(stream, partition);
      const end = endOfChain(stream, partition);
      return placeOfTime(readDeps, { life: stream.life, partition, start, end }, place);
    },

    /**
     * The watermark of compaction, at most a minute old: the first sequence that is not compacted.
     */
    compactedTo: async (life: Life, partition: number): Promise<number> =>
      (await checkpoints.recall(life, partition)).next,

    /** See `measureLags`. */
    lags: (life: Life, readers: readonly (readonly Position[])[], epochs?: readonly Epoch[]) =>
      measureLags(readDeps, life, readers, epochs),

    /** See `measureLag`. */
    lag: (life: Life, runs: readonly PartitionRun[], epochs?: readonly Epoch[]) =>
      measureLag(readDeps, life, runs, epochs),

    /**
     * Discards the ends, checkpoints and last events of a life, and wakes its waiting polls. This
     * process may remember partitions of an epoch that a restore has lost.
     */
    forget(life: Life): void {
      appender.forget(life, CHAINS_MAX);
      for (let partition = 0; partition < CHAINS_MAX; partition++) {
        checkpoints.forget(life, partition);
        quietEnds.forget(life, partition);
        deps.sightings?.forget(life, partition);
      }
      notifier.notify(life);
    },

    /**
     * Returns the ranges of a partition that restores have lost, including the restore with this
     * id.
     */
    async lostBy(life: Life, partition: number, id: string): Promise<readonly LostRange[]> {
      const { lost = [] } = await checkpoints.recall(life, partition);
      if (lost.some((range) => range.id === id)) return lost;
      return (await checkpoints.reload(life, partition)).lost ?? [];
    },

    /** See `createFormerLives`. */
    hadLife: createFormerLives(deps.table),

    /** Permanently ends a chain at the end of its stream's life. See `endPartition`. */
    seal: (life: Life, partition: number) => endPartition(deps, life, partition, "seal"),

    /** See `bringOn`. */
    bringOn: (life: Life, row: StreamRow) => bringOn(deps, life, row),

    /** See `assertMayTurn`. */
    assertMayTurn: (life: Life, row: StreamRow) => assertMayTurn(deps, life, row),
  };
}

export type Log = ReturnType<typeof createLog>;
