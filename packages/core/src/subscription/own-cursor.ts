import { type CursorContent, invalidCursor } from "../cursor/cursor.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { SubscriptionState } from "./state.ts";

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
