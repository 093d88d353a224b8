import * as z from "zod";
import { NewEvent } from "../event.ts";
import { LIMITS } from "../limits.ts";
import { Cursor, Timestamp } from "../text.ts";

export const NewEvents = z.strictObject({ events: z.array(NewEvent).min(1) }).meta({
  id: "NewEvents",
  description: `At most ${LIMITS.requestEventsMax} events, all or none.`,
});

/** The body of a publish: one event, or several that are committed together. */
export const PublishBody = z.union([NewEvent, NewEvents]).meta({ id: "PublishBody" });

/** An event as a reader receives it. */
export const LedgerEvent = z
  .object({
    sequence: z.int().min(1).meta({ description: "Strictly rising per key." }),
    publishedAt: Timestamp,
    id: z.string(),
    key: z.string(),
    type: z.string().optional(),
    time: Timestamp.optional(),
    headers: z.record(z.string(), z.string()).optional(),
    data: z.unknown(),
  })
  .meta({ id: "LedgerEvent" });
export type LedgerEvent = z.infer<typeof LedgerEvent>;

/** What a publisher gets for durable events, in the order they were sent. */
export const PublishReceipt = z
  .object({
    events: z.array(z.object({ id: z.string(), sequence: z.int().min(1) })),
    cursor: Cursor.meta({ description: "Right behind these events: reading from it skips them." }),
  })
  .meta({ id: "PublishReceipt" });
export type PublishReceipt = z.infer<typeof PublishReceipt>;

/** A run of events and where to go on. An empty page is not the end unless `caughtUp` is true. */
export const EventPage = z
  .object({
    events: z.array(LedgerEvent),
    cursor: Cursor,
    caughtUp: z.boolean().meta({ description: "Nothing is left behind the cursor right now." }),
  })
  .meta({ id: "EventPage" });
