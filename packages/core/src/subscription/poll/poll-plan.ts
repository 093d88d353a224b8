import type { CursorContent } from "../../cursor/cursor.ts";
import type { LogPage } from "../../log/read/read.ts";
import { epochAt, type Partitioned } from "../../model/epochs.ts";
import type { SubscriptionState } from "../state.ts";
import type { Presence } from "../workers/leases.ts";
import { isSameNote } from "./delivery-count-plan.ts";

/** A request for the events after `after`, or after the committed offset. */
export type PollRequest = {
  readonly limit: number;
  readonly after?: CursorContent | undefined;
  /** The progress of an earlier look of the same poll. A later seek invalidates it. */
  readonly ahead?: CursorContent | undefined;
  /** The presence of the worker in an earlier look of the same poll. */
  readonly before?: Presence | undefined;
  /** Whether a page may hold the queues of several keys. Their places are committed together. */
  readonly together?: boolean | undefined;
};

/** The state that one look of a poll works with: the whole subscription, or a worker's share. */
export type View = {
  readonly state: SubscriptionState;
  /** A worker's partitions. Absent for a poll that reads all. */
  readonly among?: ReadonlySet<number>;
  /** The fencing tokens of a worker's leases. */
  readonly tokens?: NonNullable<CursorContent["tokens"]>;
  /** The presence of the worker in this poll. */
  readonly presence?: Presence;
};

/** The source of a poll's views. */
export type ViewSource = {
  first(): Promise<View>;
  /** Returns the current view from the table. */
  renew(view: View): Promise<View>;
  /** Whether a page with content must agree with a view that was read after it. */
  readonly checksPages: boolean;
};

/**
 * Returns the positions that a cursor of this view covers. A worker's cursor covers only its share.
 */
export const covered = <T>({ among }: View, positions: readonly T[]): readonly (T | undefined)[] =>
  among === undefined
    ? positions
    : positions.map((each, partition) => (among.has(partition) ? each : undefined));

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

/**
 * Returns where a page ends. A partition outside the worker's share counts as read to its end. In
 * an earlier epoch, no page is caught up.
 */
export function endOf(stream: Partitioned, { among }: View, page: LogPage) {
  const runs = page.runs.map((run, partition) =>
    among === undefined || among.has(partition) ? run : { ...run, atEnd: true },
  );
  const [held = 0] = among ?? [];
  const isLast = among === undefined || epochAt(stream, held).ends === undefined;
  return { runs, caughtUp: isLast && runs.every(({ atEnd }) => atEnd) };
}
