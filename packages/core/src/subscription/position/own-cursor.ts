import { type CursorContent, invalidCursor } from "../../cursor/cursor.ts";
import { withinList } from "../../cursor/listed.ts";
import {
  assertOfStream,
  type CursorFacts,
  isOfThisRestore,
} from "../../log/read/foreign-cursor.ts";
import { chainCount } from "../../model/epochs.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { SubscriptionState } from "../state.ts";
import { isInSnapshot } from "./progress.ts";

/** Returns whether a cursor belongs to this subscription of this life, and to its generation. */
export const isOwnCursor = (
  stream: LiveStream,
  state: SubscriptionState,
  { subscription, positions }: CursorContent,
): boolean =>
  subscription?.uid === state.row.uid &&
  subscription.generation === state.generation &&
  positions.length === chainCount(stream);

/**
 * Refuses a cursor of a different life or subscription, from before a seek, or from before a
 * restore unless everything that it covers is kept.
 */
export async function assertOwnCursor(
  log: CursorFacts,
  stream: LiveStream,
  state: SubscriptionState,
  cursor: CursorContent,
): Promise<void> {
  const isOwn = isOwnCursor(stream, state, cursor);
  const isOfNow = isOfThisRestore(stream, cursor);
  if (isOwn && isOfNow) return;
  await assertOfStream(log, stream, cursor);
  if (isOwn) return assertNothingWithheld(state, cursor);
  if (cursor.subscription === undefined && isInSnapshot(cursor.bootstrap)) throw withinList();
  if (cursor.subscription?.uid !== state.row.uid) throw invalidCursor("other-subscription");
  const sought = cursor.subscription.generation !== state.generation;
  throw invalidCursor(sought ? "seeked" : "malformed");
}

/**
 * A page from before a restore may have withheld events of keys whose parking the restore undid.
 * Its commit would lose these events. The current parking state cannot show that, so such a cursor
 * is refused.
 */
function assertNothingWithheld({ offsets }: SubscriptionState, { parked }: CursorContent): void {
  if (parked === undefined && offsets.every(({ parking }) => parking === undefined)) return;
  throw invalidCursor("restored");
}
