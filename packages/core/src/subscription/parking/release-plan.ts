import { nothingParked, type ParkedKey } from "../../model/parking.ts";
import type { Position } from "../../model/position.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import { type KeyState, pendingSkips, skippedOf } from "./parking-plan.ts";
import { notParkable, otherIsFirst, parkedKeyNotFound } from "./parking-problems.ts";

export type Release = {
  readonly key: string;
  readonly how: "retry" | "skip";
  /** The sequence of the event that the caller expects to be first in the queue. */
  readonly sequence?: number | undefined;
};

/**
 * Returns whether an earlier request has already skipped the named event. Throws when a different
 * event is the first of the queue.
 */
export function isDone(row: OffsetRow, parked: ParkedKey, { how, sequence }: Release): boolean {
  const [skipped] = skippedOf(row, parked);
  if (how === "skip" && skipped !== undefined && skipped.sequence === sequence) return true;
  if (sequence !== undefined && sequence !== parked.next) {
    throw otherIsFirst(skipped?.sequence ?? parked.next);
  }
  return false;
}

/**
 * Returns the position after the first event of a queue, or the first kept position if the log no
 * longer contains that event.
 */
export function afterFirst({ retrying, batch, next }: ParkedKey, earliest: Position): Position {
  if (earliest.next > next) return earliest;
  if (retrying)
    throw notParkable(
      "The key is being retried. If an event fails again, park the key at that event first.",
    );
  return { batch, next: next + 1 };
}

/**
 * Returns an event of a key that is no longer parked, if the committed offset has not passed that
 * event.
 */
export function pendingSkip(row: OffsetRow, { key, how, sequence }: Release): KeyState {
  const pending = pendingSkips(row).filter((each) => each.key === key);
  const same = pending.find((each) => each.sequence === sequence);
  const [first] = pending;
  if (first === undefined) throw parkedKeyNotFound();
  if (how === "retry" || same !== undefined) return same ?? first;
  throw notParkable(
    "No event of the key waits. The skipped event is left out. Commit the events after it.",
  );
}

/** Returns the plan that changes nothing, with the state of a key. */
export const unchanged = <Key extends KeyState>(
  { parking = nothingParked }: OffsetRow,
  key: Key,
) => {
  return { parking, key };
};
