import type { CursorContent } from "../../cursor/cursor.ts";
import type { SubscriptionState } from "../state.ts";
import type { Presence } from "../workers/leases.ts";

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
