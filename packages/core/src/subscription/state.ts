import type { RedeliveryReason } from "@eventledger/protocol";
import type { Bootstrap } from "../model/snapshot-progress.ts";
import type { OffsetRow } from "../table/offset.entity.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";

/** How many of a committed cursor's events are redelivered nevertheless, and why. */
export type Redelivery = {
  readonly part: "part" | "all";
  readonly because: readonly RedeliveryReason[];
};

/** A subscription and its committed progress in every partition. */
export type SubscriptionState = {
  readonly row: SubscriptionRow;
  readonly offsets: readonly OffsetRow[];
  readonly generation: number;
  /** The bootstrap, until everything that its snapshot left out is committed. */
  readonly bootstrap: Bootstrap | undefined;
};
