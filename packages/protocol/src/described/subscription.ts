import * as z from "zod";
import { ConsumerName, Filter, LeaseSeconds, MaxDeliveries, Start } from "../subscription.ts";
import { Cursor, ListCursor, Name, Timestamp } from "../text.ts";
import { EventPage } from "./event.ts";
import { Lag } from "./stream.ts";

const Phase = z.enum(["bootstrap", "log"]);

export const Subscription = z
  .object({
    ...{ name: Name, stream: Name, start: Start },
    filter: Filter.optional(),
    leaseSeconds: LeaseSeconds,
    maxDeliveries: MaxDeliveries.optional(),
    createdAt: Timestamp,
  })
  .meta({ id: "Subscription" });
export type Subscription = z.infer<typeof Subscription>;

const Member = z
  .object({
    consumer: ConsumerName,
    share: z.number().min(0).max(1).meta({ description: "Of the keys; 0 for one that waits." }),
    until: Timestamp.meta({ description: "It counts as alive until then, unless it polls." }),
  })
  .meta({ id: "Member" });

export const SubscriptionInfo = z
  .object({
    ...Subscription.shape,
    phase: Phase,
    lag: Lag,
    keysBehind: z.int().min(0).nullable().meta({
      description:
        "Keys with events behind the position; null while a snapshot is read, without compaction, and where there are too many events to count them.",
    }),
    parkedKeys: z.int().min(0).meta({ description: "Keys whose events wait: see .../parked." }),
    members: z.array(Member).meta({ description: "Its workers that are alive, by name." }),
  })
  .meta({ id: "SubscriptionInfo" });
export type SubscriptionInfo = z.infer<typeof SubscriptionInfo>;

export const SubscriptionList = z
  .object({ subscriptions: z.array(Subscription), cursor: ListCursor.nullable() })
  .meta({ id: "SubscriptionList" });

/** What a poll answers. Commit `cursor` once the events are processed. */
export const PollPage = z
  .object({
    ...EventPage.shape,
    phase: Phase.meta({
      description:
        "`bootstrap`: the events are the state of keys. `log`: they are what came later.",
    }),
    snapshotEnd: z.boolean().meta({
      description: "This page completes the bootstrap phase; an empty page alone never does.",
    }),
    consistent: z.boolean().meta({
      description:
        "With this page applied, the state of every key is exactly that of the log at this cursor.",
    }),
    lag: Lag,
    nextPollMs: z.int().min(0).meta({ description: "When polling again is worth it." }),
  })
  .meta({ id: "PollPage" });

/** The same behind a commit. */
export const CommittedPollPage = z
  .object({
    ...PollPage.shape,
    stale: z.boolean().optional().meta({
      description: "With a commit: true when the position was already there or beyond.",
    }),
  })
  .meta({ id: "CommittedPollPage" });

export const CommitReceipt = z
  .object({
    committed: Cursor,
    stale: z.boolean().meta({ description: "True when the position was already there or beyond." }),
    lag: Lag,
  })
  .meta({ id: "CommitReceipt" });

/** Where a seek has put the subscription. Cursors from before it are refused from now on. */
export const SeekReceipt = z
  .object({ committed: Cursor, phase: Phase, lag: Lag })
  .meta({ id: "SeekReceipt" });
export type SeekReceipt = z.infer<typeof SeekReceipt>;
