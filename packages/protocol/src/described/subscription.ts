import * as z from "zod/mini";
import { Start } from "../place.ts";
import {
  ConsumerName,
  Filter,
  LeaseSeconds,
  MaxDeliveries,
  Reads,
  redeliveryReasons,
} from "../subscription.ts";
import { Cursor, described, ListCursor, Name, Timestamp } from "../text.ts";
import { NextPollMs, Page } from "./event.ts";
import { Lag } from "./lag.ts";
import { Life } from "./life.ts";
import { PushStatus } from "./push.ts";

const Phase = described(z.enum(["bootstrap", "log"]), {
  description: "`bootstrap` while the snapshot is read, `log` after that.",
});

export const Subscription = described(
  z.object({
    name: described(Name, { description: "The subscription's name." }),
    stream: described(Name, { description: "The stream that it reads." }),
    start: described(Start, { description: "Where the subscription began." }),
    filter: described(z.optional(Filter), {
      description: "Which events the subscription receives.",
    }),
    leaseSeconds: LeaseSeconds,
    maxDeliveries: z.optional(MaxDeliveries),
    reads: z.optional(Reads),
    createdAt: Timestamp,
    life: Life,
  }),
  { id: "Subscription", description: "A subscription's settings." },
);
export type Subscription = z.infer<typeof Subscription>;

const Warnings = described(z.array(z.string()), {
  description:
    "What the consumer has to know about the new filter; empty if the filter did not change.",
});

/** The answer to a change of settings. */
export const PatchedSubscription = described(
  z.object({ ...Subscription.shape, warnings: Warnings }),
  {
    id: "PatchedSubscription",
    description: "The settings after a change, with warnings for the consumer.",
  },
);
export type PatchedSubscription = z.infer<typeof PatchedSubscription>;

/** The progress of reading a snapshot. Its parts have about the same number of keys. */
export const SnapshotProgress = described(
  z.object({
    partsRead: described(z.int().check(z.gte(0)), {
      description: "The number of parts that are completely read.",
    }),
    parts: described(z.int().check(z.gte(1)), {
      description: "The total number of parts. They have about the same size.",
    }),
  }),
  { id: "SnapshotProgress", description: "The progress of reading a snapshot." },
);
export type SnapshotProgress = z.infer<typeof SnapshotProgress>;

const Member = described(
  z.object({
    consumer: ConsumerName,
    share: described(z.number().check(z.gte(0), z.lte(1)), {
      description: "The worker's share of the keys, as a fraction; 0 while it waits for a share.",
    }),
    until: described(Timestamp, {
      description: "When the worker's lease expires. Each poll renews the lease.",
    }),
  }),
  { id: "Member", description: "A worker of a subscription." },
);

export const SubscriptionInfo = described(
  z.object({
    ...Subscription.shape,
    phase: Phase,
    snapshot: described(z.optional(SnapshotProgress), {
      description: "How much of the snapshot is committed. Only in the phase `bootstrap`.",
    }),
    position: described(z.nullable(Cursor), {
      description:
        "The committed position as a cursor of the stream, for `from` of GET .../events, `start` of another subscription, or a seek. null while a snapshot is read.",
    }),
    warnings: Warnings,
    lag: Lag,
    keysBehind: described(z.nullable(z.int().check(z.gte(0))), {
      description:
        "The number of keys with events after the position. null while a snapshot is read, without compaction, and when there are too many events to count.",
    }),
    parkedKeys: described(z.int().check(z.gte(0)), {
      description: "The number of parked keys. GET .../parked lists them.",
    }),
    members: described(z.array(Member), {
      description: "The live workers of the subscription, in order of their names.",
    }),
    push: described(z.optional(PushStatus), {
      description:
        "The state of its push: see GET .../push. Absent when its events are not pushed.",
    }),
  }),
  { id: "SubscriptionInfo", description: "A subscription and its progress." },
);
export type SubscriptionInfo = z.infer<typeof SubscriptionInfo>;

const { keysBehind: _, members: __, push: ___, ...progress } = SubscriptionInfo.shape;

/** A subscription in a list. It includes its progress when the client asked for that. */
export const ListedSubscription = described(
  z.object({ ...z.partial(z.object(progress)).shape, ...Subscription.shape }),
  {
    id: "ListedSubscription",
    description:
      "A subscription's settings, and with `include=stats` its progress. `keysBehind`, `members` and `push` are shown only for a single subscription.",
  },
);
export type ListedSubscription = z.infer<typeof ListedSubscription>;

export const SubscriptionList = described(
  z.object({ subscriptions: z.array(ListedSubscription), cursor: z.nullable(ListCursor) }),
  { id: "SubscriptionList", description: "A page of subscriptions, by name." },
);

const PageLag = described(Lag, {
  description:
    "The lag at the cursor. In the phase `bootstrap` it is the lag at the end of the snapshot, and the number of events may be up to 5 seconds old.",
});

/** The answer to a poll. Commit `cursor` once the events are processed. */
export const PollPage = described(
  z.object({
    ...Page.shape,
    phase: described(Phase, {
      description:
        "`bootstrap`: the events are the current states of keys. `log`: they are the events after the snapshot.",
    }),
    snapshot: described(z.optional(SnapshotProgress), {
      description:
        "How much of the snapshot is read after this page. Only in the phase `bootstrap`.",
    }),
    snapshotEnd: described(z.boolean(), {
      description:
        "True when this page completes the bootstrap phase. An empty page alone does not complete it.",
    }),
    consistent: described(z.boolean(), {
      description:
        "True when the client, after applying this page, has exactly the state that every key has in the log at this cursor.",
    }),
    lag: PageLag,
    nextPollMs: NextPollMs,
  }),
  {
    id: "PollPage",
    description: "The answer to a poll. Commit `cursor` once the events are processed.",
  },
);

const Redelivers = described(z.enum(["nothing", "part", "all"]), {
  description: "The number of committed events that are delivered again.",
});

const RedeliversBecause = described(z.array(z.enum(redeliveryReasons)), {
  description:
    "`key-released`: a key was retried or skipped since, so the events that the page withheld are now delivered. `queue-changed`: the retried key was parked or retried again. `other-snapshot`: the cursor belongs to another snapshot.",
});

/** The answer to a poll that also commits. */
export const CommittedPollPage = described(
  z.object({
    ...PollPage.shape,
    committed: described(z.optional(Cursor), {
      description: "With a commit: the current position.",
    }),
    stale: described(z.optional(z.boolean()), {
      description: "With a commit: true when the commit changed nothing.",
    }),
    redelivers: z.optional(Redelivers),
    redeliversBecause: z.optional(RedeliversBecause),
  }),
  { id: "CommittedPollPage", description: "The answer to a request that commits and polls." },
);

export const CommitReceipt = described(
  z.object({
    committed: Cursor,
    stale: described(z.boolean(), {
      description:
        "True when this commit changed nothing, because the position was already at the cursor or after it. If there is a `redelivers`, the cursor is void.",
    }),
    redelivers: Redelivers,
    redeliversBecause: RedeliversBecause,
    lag: PageLag,
    life: Life,
  }),
  { id: "CommitReceipt", description: "The position after a commit." },
);

/**
 * The position to which a seek has moved the subscription. Cursors from before the seek are
 * refused.
 */
export const SeekReceipt = described(
  z.object({ committed: Cursor, phase: Phase, lag: Lag, life: Life }),
  {
    id: "SeekReceipt",
    description: "The position after a seek. Cursors from before the seek are refused.",
  },
);
export type SeekReceipt = z.infer<typeof SeekReceipt>;
