import { type CursorContent, invalidCursor } from "../cursor/cursor.ts";
import { assertOfStream, type HadLife } from "../log/foreign-cursor.ts";
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
export async function assertOwnCursor(
  log: { readonly hadLife: HadLife },
  stream: LiveStream,
  state: SubscriptionState,
  cursor: CursorContent,
): Promise<void> {
  if (isOwnCursor(stream, state, cursor)) return;
  await assertOfStream(log, stream, cursor);
  if (cursor.subscription?.uid !== state.row.uid) throw invalidCursor("other-subscription");
  const sought = cursor.subscription.generation !== state.generation;
  throw invalidCursor(sought ? "seeked" : "malformed");
}
