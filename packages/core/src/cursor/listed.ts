import { type CursorContent, invalidCursor } from "./cursor.ts";

type Listed = Pick<CursorContent, "listed">;

/** Checks that a list continues with its original prefix. Throws `invalid-cursor` otherwise. */
export function assertSameList({ listed }: Listed, prefix = ""): void {
  if (listed === undefined || listed === prefix) return;
  throw invalidCursor(
    "other-query",
    "The cursor was made for a list with another prefix. Begin the list again, or send that prefix.",
  );
}

/**
 * Checks that a list has shown every key that a subscription receives, or that a list since the
 * cursor shows. Throws `invalid-cursor` for a list with a narrower prefix, because the client would
 * lack the state of the other keys.
 */
export function assertListsEnough({ listed = "" }: Listed, keyPrefix = ""): void {
  if (keyPrefix.startsWith(listed)) return;
  throw invalidCursor(
    "other-query",
    "The cursor was made by a list of keys with a prefix, and other keys are asked for too. List without a prefix, or with one that the `keyPrefix` of the request or of the filter begins with.",
  );
}

export const withinList = () =>
  invalidCursor(
    "other-query",
    "The cursor is within a list of current states and goes on with that list only. Read on from its `follow`.",
  );

/** A difference begins where the state is known, which is not so within a snapshot. */
export const sinceWithinSnapshot = () =>
  invalidCursor(
    "other-query",
    "The cursor is within a snapshot, so the state is not known up to it. Finish the snapshot first, or use the cursor of a state that you know.",
  );
