import type { Lag } from "@eventledger/protocol";
import { type CursorContent, invalidCursor } from "../cursor/cursor.ts";
import type { LiveStream } from "../stream/streams.ts";
import { assertOwnCursor, isOwnCursor } from "./poll.ts";
import type { SubscriptionState, Subscriptions } from "./subscriptions.ts";

/** Where a subscription stands after a commit. */
export type Committed = {
  readonly committed: CursorContent;
  /** The position was there or beyond already; nothing was changed. */
  readonly stale: boolean;
  readonly lag: Lag;
};

/**
 * Moves the committed position to what a polled cursor covers. An older cursor changes nothing.
 * Committing the same cursor twice is harmless. Throws `invalid-cursor` for a cursor of something
 * else, and `subscription-not-found`.
 */
export async function commit(
  { subscriptions }: { subscriptions: Subscriptions },
  stream: LiveStream,
  name: string,
  cursor: CursorContent,
): Promise<Committed> {
  const known = await subscriptions.recall(stream, name);
  const ahead = isOwnCursor(stream, known, cursor) && isAhead(cursor, known);
  const before = ahead ? known : await subscriptions.load(stream, name);
  assertOwnCursor(stream, before, cursor);
  const { generation } = before;
  const to = cursor.positions.flatMap((position, partition) =>
    position === undefined ? [] : [{ ...position, partition, generation }],
  );
  const { moved, state } = await subscriptions.commit(stream, before, to);
  if (state.offsets.some((row) => row.generation !== generation)) {
    throw invalidCursor("The subscription was moved by a seek at the same moment. Poll again.");
  }
  return {
    committed: {
      streamUid: stream.uid,
      subscription: { uid: state.row.uid, generation },
      positions: state.offsets,
      turn: cursor.turn,
    },
    stale: !moved,
    lag: await subscriptions.lag(stream, state),
  };
}

const isAhead = ({ positions }: CursorContent, { offsets }: SubscriptionState): boolean =>
  offsets.some(({ next, partition }) => (positions[partition]?.next ?? 0) > next);
