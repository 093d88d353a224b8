import type { LogPage } from "../../log/read/read.ts";
import type { SubscriptionState } from "../state.ts";
import { isSameNote } from "./delivery-count-plan.ts";
import type { View } from "./view.ts";

/** The decisions of a poll between its reads and writes. Pure. */

/**
 * Returns whether a page that was read from a remembered state may be delivered in the current
 * state. A page that counts as a delivery begins at the committed offset, so the offset must be
 * unchanged too.
 */
export function isUnchanged(
  fresh: SubscriptionState,
  { generation, offsets }: SubscriptionState,
  counts: boolean,
): boolean {
  return (
    fresh.generation === generation &&
    fresh.offsets.every(({ next, parking, delivery }, at) => {
      const before = offsets[at];
      const moved = counts && next !== before?.next;
      const noted = counts && !isSameNote(delivery, before?.delivery);
      return !moved && !noted && parking?.revision === before?.parking?.revision;
    })
  );
}

/** Returns where a page ends. A partition outside the worker's share counts as read to its end. */
export function endOf({ among }: View, page: LogPage) {
  const runs = page.runs.map((run, partition) =>
    among === undefined || among.has(partition) ? run : { ...run, atEnd: true },
  );
  return { runs, caughtUp: runs.every(({ atEnd }) => atEnd) };
}
