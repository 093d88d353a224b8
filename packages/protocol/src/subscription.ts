import * as z from "zod";
import { headersOf, PageLimit } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { boundedText, Cursor, Name, Timestamp } from "./text.ts";

/**
 * Where a subscription begins. `bootstrap`: the current state of every key, then the log. A cursor is
 * one of the stream, as a publish or the compacted state answers it.
 */
export const Start = z
  .union([
    z.enum(["earliest", "latest", "bootstrap"]),
    z.strictObject({ timestamp: Timestamp }),
    z.strictObject({ cursor: Cursor }),
  ])
  .meta({ id: "Start", examples: ["earliest", "bootstrap"] });
export type Start = z.infer<typeof Start>;

const CONSUMER = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,${LIMITS.consumerCharsMax - 1}}$`);

/** One worker of several that share a subscription; no two processes may use the same name. */
export const ConsumerName = z
  .string()
  .regex(CONSUMER, { error: `must match ${CONSUMER.source}` })
  .meta({ id: "ConsumerName", examples: ["shipping-7f9c"] });

/** Which events a subscription receives: those that meet all of it. */
export const Filter = z
  .strictObject({
    types: z
      .array(boundedText(LIMITS.typeBytesMax))
      .min(1)
      .max(LIMITS.filterTypesMax)
      .optional()
      .meta({ description: "Of one of these types. Tombstones pass, whatever their type." }),
    keyPrefix: boundedText(LIMITS.keyBytesMax)
      .optional()
      .meta({ description: "Only keys that begin with this." }),
    headers: headersOf(LIMITS.filterHeadersMax).optional().meta({
      description: "With these headers, each equal. Tombstones pass, whatever they have.",
    }),
  })
  .meta({ id: "Filter", examples: [{ types: ["order.placed"], keyPrefix: "order-" }] });
export type Filter = z.infer<typeof Filter>;

export const LeaseSeconds = z.int().min(LIMITS.leaseSecondsMin).max(LIMITS.leaseSecondsMax).meta({
  description: "How long a worker may be silent before others take over its share.",
});

export const MaxDeliveries = z.int().min(LIMITS.deliveriesMin).max(LIMITS.deliveriesMax).meta({
  description:
    "How often an event may be delivered without being committed before its key is parked. Without it nothing is parked by itself.",
});

export const CreateSubscription = z
  .strictObject({
    name: Name,
    start: Start.default("earliest"),
    filter: Filter.optional(),
    leaseSeconds: LeaseSeconds.default(LIMITS.leaseSecondsDefault),
    maxDeliveries: MaxDeliveries.optional(),
  })
  .meta({ id: "CreateSubscription", examples: [{ name: "shipping", start: "earliest" }] });
export type CreateSubscription = z.infer<typeof CreateSubscription>;

const WaitSeconds = z.int().min(0).max(LIMITS.waitSecondsMax).meta({
  description: "How long to wait for news when there are none; answered as soon as there are.",
});

export const PollQuery = z.strictObject({
  limit: PageLimit,
  waitSeconds: z.coerce.number().pipe(WaitSeconds).default(0),
  after: Cursor.optional().meta({ description: "Read ahead of the committed position." }),
  consumer: ConsumerName.optional().meta({
    description: "Which worker this is: it gets its share, and holds it by polling again.",
  }),
});
export type PollQuery = z.infer<typeof PollQuery>;

/** Commit and poll in one request. */
export const PollBody = z
  .strictObject({
    commit: Cursor.optional().meta({ description: "Committed before anything is read." }),
    limit: z.int().min(1).max(LIMITS.pageEventsMax).default(LIMITS.pageEventsDefault),
    waitSeconds: WaitSeconds.default(0),
    after: PollQuery.shape.after,
    consumer: PollQuery.shape.consumer,
  })
  .meta({ id: "PollBody", examples: [{ limit: 100, waitSeconds: 20 }] });
export type PollBody = z.infer<typeof PollBody>;

export const CommitBody = z.strictObject({ cursor: Cursor }).meta({ id: "CommitBody" });

export const LeaveBody = z
  .strictObject({ consumer: ConsumerName })
  .meta({ id: "LeaveBody", examples: [{ consumer: "shipping-7f9c" }] });

/** Where a subscription can be moved on purpose. A cursor may be of the stream or the subscription. */
const SeekTarget = z
  .union([
    z.enum(["earliest", "latest", "bootstrap"]),
    z.strictObject({ timestamp: Timestamp }),
    z.strictObject({ cursor: Cursor }),
  ])
  .meta({ id: "SeekTarget", examples: ["bootstrap"] });

export const SeekBody = z
  .strictObject({ to: SeekTarget })
  .meta({ id: "SeekBody", examples: [{ to: "bootstrap" }] });
export type SeekBody = z.infer<typeof SeekBody>;

export const SubscriptionParams = z.strictObject({ stream: Name, subscription: Name });
