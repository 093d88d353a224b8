import type { CursorContent } from "../../cursor/cursor.ts";
import type { SubscriptionState } from "../state.ts";
import type { Presence } from "../workers/leases.ts";

/** What one look of a poll knows: the whole subscription, or the share of a worker. */
export type View = {
  readonly state: SubscriptionState;
  /** A worker's partitions; absent where all are read. */
  readonly among?: ReadonlySet<number>;
  /** By which a worker holds them. */
  readonly tokens?: NonNullable<CursorContent["tokens"]>;
  /** What a poll knows of its worker. */
  readonly presence?: Presence;
};

/** Where a poll gets what it knows from. */
export type ViewSource = {
  first(): Promise<View>;
  /** As it is in the table now. */
  renew(view: View): Promise<View>;
  /** Whether a page with something in it must agree with a view that was read after it. */
  readonly checksPages: boolean;
};

/** The positions that a cursor of this view covers: a worker's says nothing of the others. */
export const covered = <T>({ among }: View, positions: readonly T[]): readonly (T | undefined)[] =>
  among === undefined
    ? positions
    : positions.map((each, partition) => (among.has(partition) ? each : undefined));
