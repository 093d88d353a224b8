import type { RedeliveryReason } from "@eventledger/protocol";
import type { Bootstrap } from "../model/snapshot-progress.ts";
import type { OffsetRow, SubscriptionRow } from "../table/subscription.entity.ts";

/** How much of what a cursor covers is delivered again though it was committed, and why. */
export type Redelivery = {
  readonly part: "part" | "all";
  readonly because: readonly RedeliveryReason[];
};

/** A subscription and how far it has committed every partition. */
export type SubscriptionState = {
  readonly row: SubscriptionRow;
  readonly offsets: readonly OffsetRow[];
  readonly generation: number;
  /** Present until all that a snapshot left out is committed. */
  readonly bootstrap: Bootstrap | undefined;
};
