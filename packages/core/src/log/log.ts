import type { IncomingEvent } from "../model/event.ts";
import type { Life } from "../model/names.ts";
import type { Position } from "../model/position.ts";
import type { LostRange } from "../model/restored.ts";
import type { Objects } from "../objects/objects.ts";
import { type AppenderDeps, createAppender } from "./append/append.ts";
import { bytesOf, type Published, planRequest, readReceipt } from "./append/request.ts";
import type { AppendTarget } from "./append/waiting.ts";
import { createSegments } from "./cold/segments.ts";
import { createNotifier } from "./notifier.ts";
import { createBatchSizes } from "./read/batch-sizes.ts";
import { createCheckpointMemory } from "./read/checkpoint-memory.ts";
import { createFormerLives } from "./read/foreign-cursor.ts";
import { measureLag } from "./read/lag.ts";
import { createLastBatches } from "./read/last-batches.ts";
import { createNewEvents } from "./read/new-events.ts";
import { type Address, loadEvent } from "./read/one-event.ts";
import { type PageRequest, readPage } from "./read/read.ts";
import { type BackRequest, readBack } from "./read/read-back.ts";
import type { PartitionRun, ReadDeps } from "./read/read-run.ts";
import { seekEarliest, seekLatest, seekSequence, seekTime } from "./read/seek.ts";
import { sealPartition } from "./seal.ts";

/**
 * A place in a stream as a client names it. `timeMs` is in milliseconds since 1970. `pointer`
 * locates a sequence in the request.
 */
export type SeekPoint =
  | "earliest"
  | "latest"
  | { readonly timeMs: number }
  | { readonly sequence: number; readonly pointer: string };

type Chains = { readonly life: Life; readonly partitions: number };

type LogDeps = AppenderDeps & {
  /** The bucket of the archive, if there is one. */
  readonly objects?: Objects | undefined;
  /** Called for each read of an object. */
  readonly observeColdRead?: (() => void) | undefined;
};

/** The log of a table: chains of write-once batches, one chain per partition. */
export function createLog(deps: LogDeps) {
  const checkpoints = createCheckpointMemory(deps);
  const readDeps: ReadDeps = {
    ...deps,
    checkpoints,
    sizes: createBatchSizes(),
    lastBatches: createLastBatches(deps),
    segments: createSegments(deps),
  };
  const appender = createAppender(deps);
  const notifier = createNotifier();

  const seekPartition = (life: Life, partition: number, place: SeekPoint): Promise<Position> => {
    if (place === "earliest") return seekEarliest(deps, life, partition);
    if (place === "latest") return seekLatest(deps, life, partition);
    if ("sequence" in place) return seekSequence(deps, life, partition, place);
    return seekTime(readDeps, life, partition, place.timeMs);
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
      const request = planRequest(events, target.partitions, idempotencyKey);
      const { receipt, replayed } = await appender.append(target, request);
      notifier.notify(target.life);
      const bytes = bytesOf(request);
      return { ...readReceipt(request, target.partitions, receipt), replayed, bytes };
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
    seek: ({ life, partitions }: Chains, place: SeekPoint): Promise<Position[]> =>
      Promise.all(
        Array.from({ length: partitions }, (_, partition) => seekPartition(life, partition, place)),
      ),

    seekPartition,

    /**
     * The watermark of compaction, at most a minute old: the first sequence that is not compacted.
     */
    compactedTo: async (life: Life, partition: number): Promise<number> =>
      (await checkpoints.recall(life, partition)).next,

    /** See `measureLag`. */
    lag: (life: Life, runs: readonly PartitionRun[]) => measureLag(readDeps, life, runs),

    /** Discards the ends, checkpoints and last events of a life, and wakes its waiting polls. */
    forget({ life, partitions }: Chains): void {
      appender.forget(life, partitions);
      for (let partition = 0; partition < partitions; partition++) {
        checkpoints.forget(life, partition);
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

    /** See `sealPartition`. */
    seal: (life: Life, partition: number) => sealPartition(deps, life, partition),
  };
}

export type Log = ReturnType<typeof createLog>;
