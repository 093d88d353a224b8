import type { CursorContent } from "../../cursor/cursor.ts";
import { assertListsEnough, withinList } from "../../cursor/listed.ts";
import type { Log } from "../../log/log.ts";
import { resolvePositions } from "../../log/read/browse.ts";
import { assertOfStream } from "../../log/read/foreign-cursor.ts";
import type { Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/streams.ts";
import { assertOwnCursor, isOwnCursor } from "../position/own-cursor.ts";
import { freedOf, isInSnapshot, type Progress, progressOf } from "../position/progress.ts";
import type { SubscriptionState } from "../state.ts";
import type { PollRequest } from "./page.ts";
import type { View } from "./view.ts";

/** Where a page begins, and which partition is first. */
export type Start = Progress & { readonly turn: number };

type From = Pick<PollRequest, "after" | "ahead">;

/** Where a look reads on: after its cursor, or after the committed offset. */
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
    // A worker's cursor says nothing of what is not its own.
    positions: isInSnapshot(bootstrap)
      ? positions
      : positions.map((at, partition) => at ?? committedAt(state, partition)),
    bootstrap,
    turn: after?.turn ?? turnOf(stream, state),
  };
}

/**
 * Where a worker reads on: after its cursor as far as that was made under the leases that it holds
 * now, otherwise after the committed offset. What it once read of a partition that went to another
 * and came back counts for nothing.
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
    return { ...committed, turn: turnOf(stream, state) };
  }
  const { turn } = cursor;
  if (isInSnapshot(committed.bootstrap) || isInSnapshot(from.bootstrap)) {
    return { positions: from.positions, bootstrap: from.bootstrap, turn };
  }
  const positions = committed.positions.map((at, partition) =>
    holds(partition) ? (from.positions[partition] ?? at) : at,
  );
  return { positions, bootstrap: committed.bootstrap, turn };
}

/**
 * The committed offset, or the place that an earlier look has reached if no commit has moved past
 * it.
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

/** Undefined while a snapshot is read: then nothing of the log is committed. */
const committedAt = ({ offsets, bootstrap }: SubscriptionState, partition: number) =>
  isInSnapshot(bootstrap) ? undefined : offsets[partition];

/**
 * Where reading begins after a cursor. One of the stream itself is welcome too: that is how what
 * follows a list of the compacted state, or a publish, is read. A publish says nothing of the state
 * before it, so a subscription that has not read its snapshot receives that first.
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
  return { positions, bootstrap: bootstrap ?? state.bootstrap };
}

/**
 * What a cursor has read that still counts: where a key was freed since, its pages have withheld
 * events that are delivered now, so reading goes on after the committed offset.
 */
const stillRead = (
  { offsets }: SubscriptionState,
  { positions, freed }: CursorContent,
): readonly (Position | undefined)[] =>
  offsets.map((row, at) => (freedOf(row) === (freed?.[at] ?? 0) ? positions[at] : row));

/**
 * Which partition a page begins with. A page that is full before all had their turn must not begin
 * with the same ones after every commit, so what is committed decides, spread by the golden ratio.
 */
function turnOf({ partitions }: LiveStream, { offsets }: SubscriptionState): number {
  const committed = offsets.reduce((sum, { next }) => sum + next, 0);
  return Math.floor(((committed * GOLDEN) % 1) * partitions);
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;
