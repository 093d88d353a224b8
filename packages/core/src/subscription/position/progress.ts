import type { SnapshotProgress } from "@eventledger/protocol";
import type { CursorContent } from "../../cursor/cursor.ts";
import { chainsOf, type Partitioned } from "../../model/epochs.ts";
import { lifeText } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import {
  type Bootstrap,
  isExact,
  isPending,
  isScanned,
  partsOf,
  pendingBootstrap,
  pendingDifference,
  positionsAfter,
} from "../../model/snapshot-progress.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { SubscriptionState } from "../state.ts";

/** The progress of a subscription, in a snapshot or in the log. */
export type Progress = {
  /** Where the log continues, by partition. Undefined before a snapshot starts. */
  readonly positions: readonly (Position | undefined)[];
  /** Absent once everything that the snapshot left out has been read. */
  readonly bootstrap: Bootstrap | undefined;
};

/**
 * Returns the committed progress. During a snapshot, the log continues at the snapshot's
 * checkpoints.
 */
export function progressOf({ offsets, bootstrap }: SubscriptionState): Progress {
  if (!isInSnapshot(bootstrap)) return { positions: offsets, bootstrap };
  if (isPending(bootstrap)) return { positions: offsets.map(() => undefined), bootstrap };
  return { positions: positionsAfter(bootstrap), bootstrap };
}

/** The progress before a snapshot starts. No partition has a position yet. */
export const pendingProgress = (stream: Partitioned): Progress => ({
  positions: chainsOf(stream).map(() => undefined),
  bootstrap: pendingBootstrap,
});

/** The progress before a snapshot of the keys that changed since these positions. */
export const pendingSince = (stream: Partitioned, since: readonly Position[]): Progress => ({
  ...pendingProgress(stream),
  bootstrap: pendingDifference(since),
});

/** Returns whether the compacted state is still being read, or its reading has not begun. */
export const isInSnapshot = (bootstrap: Bootstrap | undefined): bootstrap is Bootstrap =>
  bootstrap !== undefined && !isScanned(bootstrap);

/**
 * Returns whether the events received up to a place produce the same state as the whole log, for
 * the keys that the filter selects. This is never true after a change to a wider filter: the events
 * that it left out before are missing until a seek.
 */
export const isConsistent = (
  { row, generation }: Pick<SubscriptionState, "row" | "generation">,
  bootstrap: Bootstrap | undefined,
  positions: readonly ({ readonly next: number } | undefined)[],
): boolean => row.widenedIn !== generation && isExact(bootstrap, positions);

/** Returns the progress in a snapshot. Undefined in the log. */
export const snapshotProgressOf = (
  bootstrap: Bootstrap | undefined,
): SnapshotProgress | undefined => (isInSnapshot(bootstrap) ? partsOf(bootstrap) : undefined);

/** Returns the cursor of a place in a subscription. */
export const cursorAt = (
  stream: LiveStream,
  { row, generation, offsets }: SubscriptionState,
  { positions, bootstrap }: Progress,
  nextPartition: number,
): CursorContent => ({
  life: lifeText(stream),
  subscription: { uid: row.uid, generation },
  positions,
  nextPartition,
  ...(offsets.some(({ parking }) => parking !== undefined) ? { parked: true } : {}),
  ...(offsets.some(({ parking }) => parking?.releaseCount)
    ? { releaseCounts: offsets.map(releaseCountOf) }
    : {}),
  ...(bootstrap === undefined || isExact(bootstrap, positions) ? {} : { bootstrap }),
});

/**
 * Returns how often keys of a partition were released. An earlier page has withheld events of such
 * keys that are delivered now.
 */
export const releaseCountOf = ({ parking }: Pick<OffsetRow, "parking">): number =>
  parking?.releaseCount ?? 0;

/** Returns the offset rows for a progress. */
export const offsetsOf = ({ positions, bootstrap }: Progress, generation: number): OffsetRow[] =>
  positions.map((position, partition) => ({
    ...(position === undefined || isInSnapshot(bootstrap) ? UNKNOWN : pick(position)),
    partition,
    generation,
    ...(partition === 0 && bootstrap !== undefined && !isExact(bootstrap, positions)
      ? { bootstrap }
      : {}),
  }));

const UNKNOWN = edgeAt(0);

const pick = ({ batch, next }: Position): Position => ({ batch, next });
