import * as z from "zod";
import { EventPage, PageLimit } from "./event.ts";
import { Cursor, ListCursor, Name, Timestamp } from "./text.ts";

/** Where a subscription begins. */
export const Start = z
  .union([z.enum(["earliest", "latest"]), z.strictObject({ timestamp: Timestamp })])
  .meta({ id: "Start", examples: ["earliest"] });
export type Start = z.infer<typeof Start>;

export const CreateSubscription = z
  .strictObject({ name: Name, start: Start.default("earliest") })
  .meta({ id: "CreateSubscription", examples: [{ name: "shipping", start: "earliest" }] });
export type CreateSubscription = z.infer<typeof CreateSubscription>;

export const Lag = z
  .object({
    events: z.int().min(0).meta({ description: "Events between the position and the end." }),
    seconds: z.number().min(0).meta({ description: "Age of the oldest of them; 0 when none." }),
  })
  .meta({ id: "Lag" });
export type Lag = z.infer<typeof Lag>;

const Phase = z.enum(["bootstrap", "log"]);

export const Subscription = z
  .object({ name: Name, stream: Name, start: Start, createdAt: Timestamp })
  .meta({ id: "Subscription" });
export type Subscription = z.infer<typeof Subscription>;

export const SubscriptionInfo = z
  .object({ ...Subscription.shape, phase: Phase, lag: Lag })
  .meta({ id: "SubscriptionInfo" });
export type SubscriptionInfo = z.infer<typeof SubscriptionInfo>;

export const SubscriptionList = z
  .object({ subscriptions: z.array(Subscription), cursor: ListCursor.nullable() })
  .meta({ id: "SubscriptionList" });

export const PollQuery = z.strictObject({
  limit: PageLimit,
  after: Cursor.optional().meta({ description: "Read ahead of the committed position." }),
});
export type PollQuery = z.infer<typeof PollQuery>;

/** What a poll answers. Commit `cursor` once the events are processed. */
export const PollPage = z
  .object({
    ...EventPage.shape,
    phase: Phase,
    consistent: z.boolean(),
    lag: Lag,
    nextPollMs: z.int().min(0).meta({ description: "When polling again is worth it." }),
  })
  .meta({ id: "PollPage" });

export const CommitBody = z.strictObject({ cursor: Cursor }).meta({ id: "CommitBody" });

export const CommitReceipt = z
  .object({
    committed: Cursor,
    stale: z.boolean().meta({ description: "True when the position was already there or beyond." }),
    lag: Lag,
  })
  .meta({ id: "CommitReceipt" });

export const SubscriptionParams = z.strictObject({ stream: Name, subscription: Name });
