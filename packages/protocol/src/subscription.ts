import * as z from "zod/mini";
import { headersOf, PageLimit, WaitSeconds, WaitSecondsQuery } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { Place } from "./place.ts";
import { boundedInteger, boundedText, Cursor, described, Name, Sequence } from "./text.ts";

const CONSUMER = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,${LIMITS.consumerCharsMax - 1}}$`);

/**
 * The name of one of several workers that share a subscription. Each process uses a name of its
 * own.
 */
export const ConsumerName = described(
  z.string().check(z.regex(CONSUMER, { error: `must match ${CONSUMER.source}` })),
  { id: "ConsumerName", examples: ["shipping-7f9c"] },
);

/** The events that a subscription receives. An event must meet every condition. */
export const Filter = described(
  z.strictObject({
    types: described(
      z.optional(
        z
          .array(boundedText(LIMITS.typeBytesMax))
          .check(z.minLength(1), z.maxLength(LIMITS.filterTypesMax)),
      ),
      { description: "Only events of one of these types. Tombstones always pass." },
    ),
    keyPrefix: described(z.optional(boundedText(LIMITS.keyBytesMax)), {
      description: "Only events whose keys begin with this.",
    }),
    headers: described(z.optional(headersOf(LIMITS.filterHeadersMax)), {
      description:
        "Only events that have all of these headers with these values. Tombstones always pass.",
    }),
  }),
  { id: "Filter", examples: [{ types: ["order.placed"], keyPrefix: "order-" }] },
);
export type Filter = z.infer<typeof Filter>;

export const LeaseSeconds = described(
  boundedInteger({ min: LIMITS.leaseSecondsMin, max: LIMITS.leaseSecondsMax }),
  { description: "How long a worker may be silent before others take over its share." },
);

export const MaxDeliveries = described(
  boundedInteger({ min: LIMITS.deliveriesMin, max: LIMITS.deliveriesMax }),
  {
    description:
      "How often an event may be delivered first in a page, without being committed, before its key is parked. If absent, no key is parked automatically.",
  },
);

/** A JSON pointer to a field of events' data. `*` means each item of a list. */
export const FieldPointer = described(
  z.string().check(
    z.regex(/^(?:\/(?:[^~/]|~[01])*)+$/u, { error: "must be a JSON pointer such as /total" }),
    z.refine((text) => text.isWellFormed(), { error: "must not hold a lone surrogate" }),
  ),
  {
    id: "FieldPointer",
    description: "A JSON pointer into an event's data. `*` means each item of a list.",
    examples: ["/total", "/lines/*/sku"],
  },
);

/** The fields that a subscription reads, by type of event. */
export const Reads = described(
  z
    .record(
      boundedText(LIMITS.typeBytesMax),
      z.array(FieldPointer).check(z.minLength(1), z.maxLength(LIMITS.readsFieldsMax)),
    )
    .check(
      z.refine((reads) => Object.keys(reads).length <= LIMITS.readsTypesMax, {
        error: `must have at most ${LIMITS.readsTypesMax} types`,
      }),
      z.refine(
        (reads) =>
          JSON.stringify(reads).length * 3 <= LIMITS.readsBytesMax ||
          new TextEncoder().encode(JSON.stringify(reads)).length <= LIMITS.readsBytesMax,
        {
          error: `must be at most ${LIMITS.readsBytesMax} bytes of JSON`,
        },
      ),
    ),
  {
    id: "Reads",
    description: `The fields that the client reads, by type of event: at most ${LIMITS.readsTypesMax} types with ${LIMITS.readsFieldsMax} fields each, and ${LIMITS.readsBytesMax} bytes of JSON. A change of the stream's schemas that breaks one is refused unless it is forced. They change no delivery.`,
    examples: [{ "order.placed": ["/total", "/lines/*/sku"] }],
  },
);
export type Reads = z.infer<typeof Reads>;

export const CreateSubscription = described(
  z.strictObject({
    name: Name,
    start: z._default(Place, "earliest"),
    filter: z.optional(Filter),
    leaseSeconds: z._default(LeaseSeconds, LIMITS.leaseSecondsDefault),
    maxDeliveries: z.optional(MaxDeliveries),
    reads: z.optional(Reads),
  }),
  { id: "CreateSubscription", examples: [{ name: "shipping", start: "earliest" }] },
);
export type CreateSubscription = z.infer<typeof CreateSubscription>;

/** The settings of a subscription that can be changed. Null removes a setting. */
export const PatchSubscription = described(
  z.strictObject({
    leaseSeconds: z.optional(LeaseSeconds),
    maxDeliveries: described(z.optional(z.nullable(MaxDeliveries)), {
      description: "With null, keys are no longer parked automatically.",
    }),
    filter: described(z.optional(z.nullable(Filter)), {
      description:
        "Replaces the whole filter; null removes it. The new filter applies to the events after the committed position. Earlier cursors are refused, as after a seek.",
    }),
    reads: described(z.optional(z.nullable(Reads)), {
      description: "Replaces all fields that the client reads; null removes them.",
    }),
  }),
  {
    id: "PatchSubscription",
    description: "The settings to change. Settings that are absent keep their values.",
    examples: [{ leaseSeconds: 60, maxDeliveries: 5 }],
  },
);
export type PatchSubscription = z.infer<typeof PatchSubscription>;

export const PollQuery = z.strictObject({
  limit: PageLimit,
  waitSeconds: z._default(WaitSecondsQuery, 0),
  after: described(z.optional(Cursor), {
    description: "A cursor to read from, ahead of the committed position.",
  }),
  consumer: described(z.optional(ConsumerName), {
    description:
      "The name of this worker. The worker receives a share of the keys and keeps it by polling again.",
  }),
});
export type PollQuery = z.infer<typeof PollQuery>;

/** The last event that the client has processed, on a stream with one partition. */
const Committed = z.strictObject({
  sequence: described(Sequence, {
    description: "The sequence of the last processed event, on a stream with one partition.",
  }),
});

/** Commit and poll in one request. */
export const PollBody = described(
  z.strictObject({
    commit: described(
      z.optional(z.union([Cursor, Committed], { error: "must be a cursor or { sequence }" })),
      {
        description:
          "What to commit before the poll: a cursor, or the sequence of the last processed event.",
      },
    ),
    limit: z._default(
      boundedInteger({ min: 1, max: LIMITS.pageEventsMax }),
      LIMITS.pageEventsDefault,
    ),
    waitSeconds: z._default(WaitSeconds, 0),
    after: PollQuery.shape.after,
    consumer: PollQuery.shape.consumer,
  }),
  { id: "PollBody", examples: [{ limit: 100, waitSeconds: 20 }] },
);
export type PollBody = z.infer<typeof PollBody>;

/**
 * The cursor of a poll. On a stream with one partition, the sequence of the last processed event is
 * also allowed.
 */
export const CommitBody = described(
  z
    .strictObject({
      cursor: z.optional(Cursor),
      sequence: described(z.optional(Committed.shape.sequence), {
        description:
          "Replaces `cursor` on a stream with one partition: every event up to this one is processed.",
      }),
    })
    .check(
      z.refine(({ cursor, sequence }) => cursor !== undefined || sequence !== undefined, {
        error:
          "is required: the cursor of a page. On a stream with one partition `sequence` may be sent instead",
        path: ["cursor"],
      }),
      z.refine(({ cursor, sequence }) => cursor === undefined || sequence === undefined, {
        error: "must not be sent together with cursor",
        path: ["sequence"],
      }),
    ),
  { id: "CommitBody" },
);
export type CommitBody = z.infer<typeof CommitBody>;
/**
 * The reasons for which committed events are delivered again. `key-released`: a key was released
 * since, so events that earlier pages withheld are now delivered. `queue-changed`: a parked key was
 * parked or retried again after its queue was read. `other-snapshot`: the cursor belongs to another
 * snapshot than the one that is being committed.
 */
export const redeliveryReasons = ["key-released", "queue-changed", "other-snapshot"] as const;
export type RedeliveryReason = (typeof redeliveryReasons)[number];

export const LeaveBody = described(z.strictObject({ consumer: ConsumerName }), {
  id: "LeaveBody",
  examples: [{ consumer: "shipping-7f9c" }],
});

export const SeekBody = described(
  z.strictObject({
    to: Place,
    dryRun: described(z.optional(z.boolean()), {
      description: "Check the place, and show what a seek would do, without moving anything.",
    }),
  }),
  { id: "SeekBody", examples: [{ to: "bootstrap" }] },
);
export type SeekBody = z.infer<typeof SeekBody>;

export const SubscriptionParams = z.strictObject({ stream: Name, subscription: Name });
