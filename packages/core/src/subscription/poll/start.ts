import type { CursorContent } from "../../cursor/cursor.ts";
import { assertListsEnough, withinList } from "../../cursor/listed.ts";
import type { Log } from "../../log/log.ts";
import { resolvePositions } from "../../log/read/browse.ts";
import { assertOfStream } from "../../log/read/foreign-cursor.ts";
import { chainCount } from "../../model/epochs.ts";
import type { Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import { assertOwnCursor, isOwnCursor } from "../position/own-cursor.ts";
import { isInSnapshot, type Progress, progressOf, releaseCountOf } from "../position/progress.ts";
import { shownBy } from "../position/shown-by.ts";
import type { SubscriptionState } from "../state.ts";
import type { PollRequest, View } from "./poll-plan.ts";

/** Where a page begins, and which partition is first. */
export type Start = Progress & { readonly nextPartition: number };

type From = Pick<PollRequest, "after" | "ahead">;

/** Returns where a look starts to read: after its cursor, or after the committed offset. */
export async function startOf(
  log: Log,
  stream: LiveStream,
  view: View,
  from: From,
): Promise<Start> {
  const { state, tokens } = view;
  if (tokens !== undefined) return startOfShare(log, stream, { state, tokens }, from);
  const { after, ahead } = from;
  const { positions, bootstrap } =
    after === undefined
      ? progressNow(stream, state, ahead)
      : await progressAfter(log, stream, state, after);
  return {
    // A worker's cursor has no position outside its share. The committed offset applies there.
    positions: isInSnapshot(bootstrap)
      ? positions
      : positions.map((at, partition) => at ?? committedAt(state, partition)),
    bootstrap,
    nextPartition: after?.nextPartition ?? firstPartition(stream, state),
  };
}

/**
 * Returns where a worker starts to read. In a partition whose current lease the cursor names, that
 * is after the cursor. In any other partition it is after the committed offset. If a partition
 * moved to a different worker and came back, earlier reads of it do not count.
 */
async function startOfShare(
  log: Log,
  stream: LiveStream,
  { state, tokens }: Required<Pick<View, "state" | "tokens">>,
  { after, ahead }: From,
): Promise<Start> {
  const committed = progressOf(state);
  const asked = after === undefined ? undefined : await progressAfter(log, stream, state, after);
  const look =
    ahead !== undefined && isOwnCursor(stream, state, ahead)
      ? { ...ahead, positions: stillRead(state, ahead) }
      : undefined;
  const cursor = look ?? after;
  const from = look ?? asked;
  const holds = (at: number) =>
    tokens[at] !== undefined && (cursor?.tokens === undefined || cursor.tokens[at] === tokens[at]);
  if (cursor === undefined || from === undefined || !tokens.some((_, at) => holds(at))) {
    return { ...committed, nextPartition: firstPartition(stream, state) };
  }
  const { nextPartition } = cursor;
  if (isInSnapshot(committed.bootstrap) || isInSnapshot(from.bootstrap)) {
    return { positions: from.positions, bootstrap: from.bootstrap, nextPartition };
  }
  const positions = committed.positions.map((at, partition) =>
    holds(partition) ? (from.positions[partition] ?? at) : at,
  );
  return { positions, bootstrap: committed.bootstrap, nextPartition };
}

/**
 * Returns the committed offset, or the place that an earlier look has reached if no commit has
 * passed that place.
 */
function progressNow(
  stream: LiveStream,
  state: SubscriptionState,
  look: CursorContent | undefined,
): Progress {
  if (look === undefined || !isOwnCursor(stream, state, look)) return progressOf(state);
  const positions = stillRead(state, look);
  const counts = state.offsets.every(({ next }, at) => (positions[at]?.next ?? 0) >= next);
  return counts ? { positions, bootstrap: look.bootstrap } : progressOf(state);
}

/** Returns undefined while a snapshot is read, because nothing of the log is committed then. */
const committedAt = ({ offsets, bootstrap }: SubscriptionState, partition: number) =>
  isInSnapshot(bootstrap) ? undefined : offsets[partition];

/**
 * Returns where reading begins after a cursor. The cursor may also be one of the stream itself,
 * from a list of the compacted state or from a publish. A cursor of a publish does not cover the
 * earlier state, so a subscription that has not read its snapshot receives the snapshot first.
 */
async function progressAfter(
  log: Log,
  stream: LiveStream,
  state: SubscriptionState,
  after: CursorContent,
): Promise<Progress> {
  const { bootstrap, subscription } = after;
  if (subscription !== undefined) {
    await assertOwnCursor(log, stream, state, after);
    return { positions: stillRead(state, after), bootstrap };
  }
  await assertOfStream(log, stream, after);
  if (isInSnapshot(bootstrap)) throw withinList();
  assertListsEnough(after, state.row.config.filter?.keyPrefix);
  const positions = await resolvePositions(log, stream, after);
  const shown = await shownBy(log, stream, after);
  return { positions, bootstrap: shown ?? state.bootstrap };
}

/**
 * Returns the part of a cursor's progress that still counts. If a key was freed since then, the
 * cursor's pages have withheld events that are delivered now. So reading restarts after the
 * committed offset.
 */
const stillRead = (
  { offsets }: SubscriptionState,
  { positions, releaseCounts }: CursorContent,
): readonly (Position | undefined)[] =>
  offsets.map((row, at) =>
    releaseCountOf(row) === (releaseCounts?.[at] ?? 0) ? positions[at] : row,
  );

/**
 * Returns the partition that a page begins with. A page may be full before it reaches all
 * partitions, so pages must not begin with the same partition after every commit. The committed
 * offsets decide, spread by the golden ratio.
 */
function firstPartition(stream: LiveStream, { offsets }: SubscriptionState): number {
  const committed = offsets.reduce((sum, { next }) => sum + next, 0);
  return Math.floor(((committed * GOLDEN) % 1) * chainCount(stream));
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;
