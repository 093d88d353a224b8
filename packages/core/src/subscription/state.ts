import type { Bootstrap } from "../kernel/bootstrap.ts";
import type { OffsetRow, SubscriptionRow } from "../table/subscription.entity.ts";

/** A subscription and how far it has committed every partition. */
export type SubscriptionState = {
  readonly row: SubscriptionRow;
  readonly offsets: readonly OffsetRow[];
  readonly generation: number;
  /** Present until all that a snapshot left out is committed. */
  readonly bootstrap: Bootstrap | undefined;
};
