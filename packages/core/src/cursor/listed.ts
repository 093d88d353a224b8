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
 * Checks that a list has shown every key that the subscription receives. Throws `invalid-cursor`
 * for a list with a narrower prefix, because the client would lack the state of the other keys.
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
