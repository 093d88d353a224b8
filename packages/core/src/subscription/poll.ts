import { type Lag, LIMITS } from "@eventledger/protocol";
import { type CursorContent, invalidCursor } from "../cursor/cursor.ts";
import type { Position } from "../kernel/position.ts";
import type { StoredEvent } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { SubscriptionState, Subscriptions } from "./subscriptions.ts";

type Deps = { readonly subscriptions: Subscriptions; readonly log: Log };

/** What a poll delivers. `cursor` covers the events of the page, and is what to commit. */
export type Poll = {
  readonly events: readonly StoredEvent[];
  readonly cursor: CursorContent;
  readonly caughtUp: boolean;
  readonly lag: Lag;
};

/**
 * Reads on from what is committed, or from behind `after`. Never moves the position. An idle
 * subscription is answered from what this process knows of its position and one look at the log; as
 * soon as there is something to deliver, the committed position is read again.
 */
export async function poll(
  deps: Deps,
  stream: LiveStream,
  name: string,
  { limit, after }: { limit: number; after?: CursorContent },
): Promise<Poll> {
  const { subscriptions, log } = deps;
  const room = { events: limit, bytes: LIMITS.pageBytesMax };
  let state = await subscriptions.recall(stream, name);
  if (after !== undefined && !isOwnCursor(stream, state, after)) {
    state = await subscriptions.load(stream, name);
  }
  for (;;) {
    const start = startOf(stream, state, after);
    const page = await log.read(stream.life, start, { room, turn: after?.turn ?? 0 });
    if (page.entries.length > 0) {
      const fresh = await subscriptions.refresh(stream, state);
      const moved = after === undefined && !samePositions(fresh.offsets, state.offsets);
      const same = fresh.generation === state.generation && !moved;
      state = fresh;
      if (!same) continue;
    }
    const caughtUp = page.runs.every(({ atEnd }) => atEnd);
    return {
      events: page.entries.map(({ event }) => event),
      cursor: {
        streamUid: stream.uid,
        subscription: { uid: state.row.uid, generation: state.generation },
        positions: page.runs.map(({ position }) => position),
        turn: page.turn,
      },
      caughtUp,
      lag: await log.lag(stream.life, page.runs),
    };
  }
}

function startOf(
  stream: LiveStream,
  state: SubscriptionState,
  after: CursorContent | undefined,
): readonly Position[] {
  if (after === undefined) return state.offsets;
  assertOwnCursor(stream, state, after);
  return after.positions.map((position) => {
    if (position === undefined) throw invalidCursor();
    return position;
  });
}

/** Whether a cursor was made for this life, this subscription and its present generation. */
export const isOwnCursor = (
  stream: LiveStream,
  state: SubscriptionState,
  { streamUid, subscription, positions }: CursorContent,
): boolean =>
  streamUid === stream.uid &&
  subscription?.uid === state.row.uid &&
  subscription.generation === state.generation &&
  positions.length === stream.partitions;

/** Refuses a cursor of another life, another subscription, or from before a seek. */
export function assertOwnCursor(
  stream: LiveStream,
  state: SubscriptionState,
  cursor: CursorContent,
): void {
  if (isOwnCursor(stream, state, cursor)) return;
  const sought = cursor.subscription?.uid === state.row.uid && cursor.streamUid === stream.uid;
  throw invalidCursor(
    sought
      ? "The subscription was moved by a seek since the cursor was made. Poll again."
      : "The cursor belongs to another stream or subscription.",
  );
}

const samePositions = (a: readonly Position[], b: readonly Position[]): boolean =>
  a.every(({ next }, index) => next === b[index]?.next);
