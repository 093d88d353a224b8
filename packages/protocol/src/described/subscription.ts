import * as z from "zod/mini";
import { Start } from "../place.ts";
import {
  ConsumerName,
  Filter,
  LeaseSeconds,
  MaxDeliveries,
  redeliveryReasons,
} from "../subscription.ts";
import { Cursor, described, ListCursor, Name, Timestamp } from "../text.ts";
import { NextPollMs, Page } from "./event.ts";
import { Lag } from "./lag.ts";
import { Life } from "./life.ts";

const Phase = described(z.enum(["bootstrap", "log"]), {
  description: "`bootstrap` while the state of keys is read, `log` after it.",
});

export const Subscription = described(
  z.object({
    name: described(Name, { description: "The subscription's name." }),
    stream: described(Name, { description: "The stream that it reads." }),
    start: described(Start, { description: "Where it began." }),
    filter: described(z.optional(Filter), { description: "Which events it receives." }),
    leaseSeconds: LeaseSeconds,
    maxDeliveries: z.optional(MaxDeliveries),
    createdAt: Timestamp,
    life: Life,
  }),
  { id: "Subscription", description: "A subscription's settings." },
);
export type Subscription = z.infer<typeof Subscription>;

const Warnings = described(z.array(z.string()), {
  description: "What a consumer has to know of a filter that was changed; empty otherwise.",
});

/** The answer to a change of settings. */
export const PatchedSubscription = described(
  z.object({ ...Subscription.shape, warnings: Warnings }),
  {
    id: "PatchedSubscription",
    description: "The settings after a change, and what a consumer has to know of it.",
  },
);
export type PatchedSubscription = z.infer<typeof PatchedSubscription>;

/** The progress of reading a snapshot. Its parts have about the same number of keys. */
export const SnapshotProgress = described(
  z.object({
    partsRead: described(z.int().check(z.gte(0)), { description: "Parts that are read whole." }),
    parts: described(z.int().check(z.gte(1)), {
      description: "Parts in all, of about equal size.",
    }),
  }),
  { id: "SnapshotProgress", description: "How far a snapshot is read." },
);
export type SnapshotProgress = z.infer<typeof SnapshotProgress>;

const Member = described(
  z.object({
    consumer: ConsumerName,
    share: described(z.number().check(z.gte(0), z.lte(1)), {
      description: "Of the keys; 0 for one that waits.",
    }),
    until: described(Timestamp, {
      description: "It counts as alive until then, unless it polls.",
    }),
  }),
  { id: "Member", description: "A worker of a subscription." },
);

export const SubscriptionInfo = described(
  z.object({
    ...Subscription.shape,
    phase: Phase,
    snapshot: described(z.optional(SnapshotProgress), {
      description: "How far the snapshot is committed; in the phase `bootstrap` only.",
    }),
    position: described(z.nullable(Cursor), {
      description:
        "The committed position as a cursor of the stream: `from` of GET .../events, `start` of another subscription, or a seek. null while a snapshot is read.",
    }),
    warnings: Warnings,
    lag: Lag,
    keysBehind: described(z.nullable(z.int().check(z.gte(0))), {
      description:
        "Keys with events after the position. Null while a snapshot is read, without compaction, and when there are too many events to count.",
    }),
    parkedKeys: described(z.int().check(z.gte(0)), {
      description: "Keys whose events wait: see .../parked.",
    }),
    members: described(z.array(Member), { description: "Its workers that are alive, by name." }),
  }),
  { id: "SubscriptionInfo", description: "A subscription and how far it has come." },
);
export type SubscriptionInfo = z.infer<typeof SubscriptionInfo>;

const { keysBehind: _, members: __, ...standing } = SubscriptionInfo.shape;

/** A subscription in a list. It includes its progress when the client asked for that. */
export const ListedSubscription = described(
  z.object({ ...z.partial(z.object(standing)).shape, ...Subscription.shape }),
  {
    id: "ListedSubscription",
    description:
      "A subscription's settings, and with `include=stats` how far it has come. `keysBehind` and `members` are in its own view only.",
  },
);
export type ListedSubscription = z.infer<typeof ListedSubscription>;

export const SubscriptionList = described(
  z.object({ subscriptions: z.array(ListedSubscription), cursor: z.nullable(ListCursor) }),
  { id: "SubscriptionList", description: "A page of subscriptions, by name." },
);

/** The answer to a poll. Commit `cursor` once the events are processed. */
export const PollPage = described(
  z.object({
    ...Page.shape,
    phase: described(Phase, {
      description:
        "`bootstrap`: the events are the state of keys. `log`: they are what came later.",
    }),
    snapshot: described(z.optional(SnapshotProgress), {
      description: "How far the snapshot is read with this page; in the phase `bootstrap` only.",
    }),
    snapshotEnd: described(z.boolean(), {
      description: "This page completes the bootstrap phase; an empty page alone never does.",
    }),
    consistent: described(z.boolean(), {
      description:
        "With this page applied, the state of every key is exactly that of the log at this cursor.",
    }),
    lag: Lag,
    nextPollMs: NextPollMs,
  }),
  {
    id: "PollPage",
    description: "What a poll answers. Commit `cursor` once the events are processed.",
  },
);

const Redelivers = described(z.enum(["nothing", "part", "all"]), {
  description: "How much of what the cursor covers is delivered again, though it was committed.",
});

const RedeliversBecause = described(z.array(z.enum(redeliveryReasons)), {
  description:
    "`key-released`: a key was retried or skipped since, and what the page withheld flows now. `queue-changed`: the retried key was parked or retried again. `other-snapshot`: another bootstrap's snapshot is being committed.",
});

/** The answer to a poll that also commits. */
export const CommittedPollPage = described(
  z.object({
    ...PollPage.shape,
    committed: described(z.optional(Cursor), { description: "With a commit: the position now." }),
    stale: described(z.optional(z.boolean()), {
      description: "With a commit: true when it changed nothing.",
    }),
    redelivers: z.optional(Redelivers),
    redeliversBecause: z.optional(RedeliversBecause),
  }),
  { id: "CommittedPollPage", description: "What a commit and poll answers." },
);

export const CommitReceipt = described(
  z.object({
    committed: Cursor,
    stale: described(z.boolean(), {
      description:
        "True when this commit changed nothing: the position was there or beyond, unless `redelivers` says that the cursor is void.",
    }),
    redelivers: Redelivers,
    redeliversBecause: RedeliversBecause,
    lag: Lag,
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
    description: "Where a seek has put the subscription. Cursors from before it are refused.",
  },
);
export type SeekReceipt = z.infer<typeof SeekReceipt>;
