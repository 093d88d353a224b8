import * as z from "zod/mini";
import { NewEvent } from "../event.ts";
import { LIMITS } from "../limits.ts";
import { Cursor, described, Timestamp } from "../text.ts";
import { Life } from "./life.ts";

export const NewEvents = described(
  z.strictObject({ events: z.array(NewEvent).check(z.minLength(1)) }),
  {
    id: "NewEvents",
    description: `At most ${LIMITS.requestEventsMax} events, all or none.`,
  },
);

/** The body of a publish: one event, or several that are committed together. */
export const PublishBody = described(z.union([NewEvent, NewEvents]), { id: "PublishBody" });

/** NDJSON: one event a line. */
export const EventLines = described(z.string(), {
  description: "One event a line, each as in `application/json`.",
});

/** The data of a CloudEvent in binary mode. */
export const BinaryData = described(z.string(), {
  format: "binary",
  description:
    "The data of a CloudEvent in binary mode, of any content type: with `ce-*` headers only. An empty body is a tombstone.",
});

/** An event as a reader receives it. */
export const LedgerEvent = described(
  z.object({
    sequence: described(z.int().check(z.gte(1)), { description: "Strictly rising per key." }),
    publishedAt: Timestamp,
    id: z.string(),
    key: z.string(),
    type: z.optional(z.string()),
    time: z.optional(Timestamp),
    headers: z.optional(z.record(z.string(), z.string())),
    data: z.unknown(),
  }),
  { id: "LedgerEvent" },
);
export type LedgerEvent = z.infer<typeof LedgerEvent>;

/** What a publisher gets for durable events, in the order they were sent. */
export const PublishReceipt = described(
  z.object({
    events: z.array(z.object({ id: z.string(), sequence: z.int().check(z.gte(1)) })),
    cursor: described(Cursor, {
      description: "Right behind these events: reading from it skips them.",
    }),
    life: Life,
  }),
  { id: "PublishReceipt" },
);
export type PublishReceipt = z.infer<typeof PublishReceipt>;

/** How long the service lets a request like this one wait. */
export const WaitSecondsAdvised = described(z.int().check(z.gte(0), z.lte(LIMITS.waitSecondsMax)), {
  description:
    "How many seconds to ask for with `waitSeconds`: asking for more gains nothing. 0: waiting is off or costs too much here, ask again after `nextPollMs`.",
});

/** A run of events and where to go on. An empty page is not the end unless `caughtUp` is true. */
export const EventPage = described(
  z.object({
    events: z.array(LedgerEvent),
    cursor: Cursor,
    caughtUp: described(z.boolean(), {
      description: "Nothing is left behind the cursor right now.",
    }),
    waitSecondsAdvised: WaitSecondsAdvised,
    life: Life,
  }),
  { id: "EventPage" },
);
