import { LIMITS, type Tier } from "@eventledger/protocol";
import type { CursorContent } from "../../cursor/cursor.ts";
import { chainCount, isDrained, startOfChain } from "../../model/epochs.ts";
import type { StoredEvent } from "../../model/event.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { Log } from "../log.ts";
import { keepMatching } from "./page-cut.ts";
import type { Bound } from "./read-plan.ts";
import type { PartitionRun } from "./read-run.ts";
import type { TimePlace } from "./time-place.ts";

/** A cursor of a stream, without its life. */
export type From = Places & Pick<CursorContent, "nextPartition">;

/**
 * Positions of a stream. In a partition without a position, the times say where reading starts: see
 * `TimePlace`.
 */
type Places = Pick<CursorContent, "positions" | "since" | "keptSince">;

/** Returns the times of a cursor, for a cursor that goes on from it. */
export const timesOf = ({ since, keptSince }: TimePlace): TimePlace => ({
  ...(since === undefined ? {} : { since }),
  ...(keptSince === undefined ? {} : { keptSince }),
});

/** The part of a stream to read. */
export type BrowseRequest = {
  readonly from: From;
  readonly limit: number;
  /** Filters the events. */
  readonly matches: ((event: StoredEvent) => boolean) | undefined;
  /** The partitions to read. The default is all of them. */
  readonly among: ReadonlySet<number> | undefined;
  readonly bound: Bound | undefined;
};

/** A run of events, the positions to continue from, and whether anything remains to read there. */
export type BrowseResult = {
  readonly events: readonly StoredEvent[];
  readonly from: From;
  /** Partitions that are not read count as read to their ends. */
  readonly runs: readonly PartitionRun[];
  readonly caughtUp: boolean;
  /** The number of events examined. */
  readonly looked: number;
  /** The read has reached the bound, so later events do not matter. */
  readonly ended: boolean;
  /** `cold` when one of the examined events comes from the archive. */
  readonly tier: Tier;
};

/**
 * Reads a stream without a subscription. A page examines a bounded number of events. So with
 * `matches` it may be empty although the log continues.
 */
export async function browse(
  log: Log,
  stream: LiveStream,
  { from, limit, matches, among, bound }: BrowseRequest,
): Promise<BrowseResult> {
  const known = await resolvePositions(log, stream, from, among);
  const positions = known.map((position) => position ?? edgeAt(1));
  const room = {
    events: matches === undefined ? limit : LIMITS.filterEventsMax,
    bytes: LIMITS.scannedBytesMax,
  };
  const read = await log.read(stream.life, positions, {
    epochs: stream.epochs,
    room,
    nextPartition: from.nextPartition,
    among,
    bound,
  });
  const whole = { ...read, runs: read.runs.map(atEndUnless(among)) };
  const { events, page } = keepMatching(whole, { limit, matches });
  return {
    events,
    from: {
      positions: page.runs.map(({ position }, at) => (isAmong(among, at) ? position : known[at])),
      ...timesOf(from),
      nextPartition: page.nextPartition,
    },
    runs: page.runs,
    caughtUp: page.runs.every(({ atEnd }) => atEnd),
    looked: page.entries.length,
    ended: page.runs.every(
      ({ bounded, position }, at) =>
        bounded === true || !isAmong(among, at) || isDrained(stream, at, position),
    ),
    tier: page.entries.some(({ cold }) => cold) ? "cold" : "hot",
  };
}

const isAmong = (among: ReadonlySet<number> | undefined, partition: number): boolean =>
  among === undefined || among.has(partition);

const atEndUnless =
  (among: ReadonlySet<number> | undefined) =>
  (run: PartitionRun, partition: number): PartitionRun =>
    isAmong(among, partition) ? run : { ...run, atEnd: true };

/**
 * Returns the positions of a cursor, for some partitions or all. If the cursor has only a time,
 * that time is looked up. A cursor from before an epoch starts at the beginning of the epoch.
 */
export async function resolvePositions(
  log: Log,
  stream: LiveStream,
  from: Places,
): Promise<Position[]>;
export async function resolvePositions(
  log: Log,
  stream: LiveStream,
  from: Places,
  among: ReadonlySet<number> | undefined,
): Promise<(Position | undefined)[]>;
export async function resolvePositions(
  log: Log,
  stream: LiveStream,
  from: Places,
  among?: ReadonlySet<number>,
): Promise<(Position | undefined)[]> {
  const { positions, since } = from;
  return Promise.all(
    Array.from({ length: chainCount(stream) }, async (_, partition) => {
      const known = positions[partition];
      if (known !== undefined || !isAmong(among, partition)) return known;
      const isLater = partition >= positions.length;
      if (since === undefined && isLater) return edgeAt(startOfChain(stream, partition));
      return log.placeOfTime(stream, partition, timesOf(from));
    }),
  );
}
