import type { LogPage } from "../../log/read/read.ts";
import type { SubscriptionState } from "../state.ts";
import { isSameNote } from "./delivery-count-plan.ts";
import type { View } from "./view.ts";

/** What a poll decides between its reads and writes. Pure. */

/**
 * Whether a page that was read by what was remembered may be delivered by what is known now. A page
 * that counts as a delivery begins at what is committed, so that may not have moved either.
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

/** Where a page ends: what is no worker's own counts as read to the end. */
export function endOf({ among }: View, page: LogPage) {
  const runs = page.runs.map((run, partition) =>
    among === undefined || among.has(partition) ? run : { ...run, atEnd: true },
  );
  return { runs, caughtUp: runs.every(({ atEnd }) => atEnd) };
}
