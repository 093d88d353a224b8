import { type CursorContent, invalidCursor } from "./cursor.ts";

type Listed = Pick<CursorContent, "listed">;

/** A list continues only with its original prefix. Throws `invalid-cursor` otherwise. */
export function assertSameList({ listed }: Listed, prefix = ""): void {
  if (listed === undefined || listed === prefix) return;
  throw invalidCursor(
    "other-query",
    "The cursor was made for a list with another prefix. Begin the list again, or send that prefix.",
  );
}

/**
 * A subscription can follow a list that has shown all of its keys. Throws `invalid-cursor` for the
 * list of a narrower prefix, because other keys would be missing from the received state.
 */
export function assertListsEnough({ listed = "" }: Listed, keyPrefix = ""): void {
  if (keyPrefix.startsWith(listed)) return;
  throw invalidCursor(
    "other-query",
    "The cursor was made by a list of keys with a prefix, and the subscription receives others too. List without a prefix, or with one that the filter's keyPrefix begins with.",
  );
}

export const withinList = () =>
  invalidCursor(
    "other-query",
    "The cursor is within a list of current states and goes on with that list only. Read on from its `follow`.",
  );
