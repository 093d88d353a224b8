import * as z from "zod/mini";
import { NewEvent } from "../event.ts";
import { LIMITS } from "../limits.ts";
import { Cursor, described, Timestamp } from "../text.ts";
import { Lag } from "./lag.ts";
import { Life } from "./life.ts";

export const NewEvents = described(
  z.strictObject({
    events: described(z.array(NewEvent).check(z.minLength(1)), {
      description: "In the order they are to have in the log.",
    }),
  }),
  {
    id: "NewEvents",
    description: `At most ${LIMITS.requestEventsMax} events, all or none.`,
  },
);

/** The body of a publish: one event, or several that are committed together. */
export const PublishBody = described(z.union([NewEvent, NewEvents]), {
  id: "PublishBody",
  description: "One event, or several that are committed together.",
});

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
    publishedAt: described(Timestamp, { description: "When it became durable." }),
    id: described(z.string(), { description: "The publisher's, or one derived from its place." }),
    key: described(z.string(), { description: "What the event is about." }),
    type: described(z.optional(z.string()), { description: "What kind of event it is." }),
    time: described(z.optional(Timestamp), {
      description: "When it happened, if the publisher gave it.",
    }),
    headers: described(z.optional(z.record(z.string(), z.string())), {
      description: "Further attributes of the event, by name.",
    }),
    data: described(z.unknown(), {
      description: "As it was sent. null is a tombstone: the key is deleted.",
    }),
  }),
  { id: "LedgerEvent", description: "An event as a reader receives it." },
);
export type LedgerEvent = z.infer<typeof LedgerEvent>;

const PublishedEvent = described(
  z.object({
    id: described(z.string(), { description: "The publisher's, or one derived from its place." }),
    sequence: described(z.int().check(z.gte(1)), { description: "Strictly rising per key." }),
  }),
  { id: "PublishedEvent", description: "A durable event's id and number." },
);

/** The receipt for durable events, in the order in which they were sent. */
export const PublishReceipt = described(
  z.object({
    events: described(z.array(PublishedEvent), { description: "One for each event." }),
    cursor: described(Cursor, {
      description: "The position right after these events.",
    }),
    life: Life,
  }),
  {
    id: "PublishReceipt",
    description: "What was published, in the order it was sent.",
  },
);
export type PublishReceipt = z.infer<typeof PublishReceipt>;

/** The time for which the service lets a request like this one wait. */
export const WaitSecondsAdvised = described(z.int().check(z.gte(0), z.lte(LIMITS.waitSecondsMax)), {
  description:
    "How many seconds to ask for with `waitSeconds`: asking for more gains nothing. 0: waiting is off or costs too much here, ask again after `nextPollMs`.",
});

/** The members of every page of events. */
export const Page = z.object({
  events: described(z.array(LedgerEvent), { description: "In the order in which they are read." }),
  cursor: described(Cursor, { description: "Where to go on." }),
  caughtUp: described(z.boolean(), {
    description: "Nothing is left after the cursor right now.",
  }),
  waitSecondsAdvised: WaitSecondsAdvised,
  life: Life,
});

export const NextPollMs = described(z.int().check(z.gte(0)), {
  description: "When polling again is worth it.",
});

/** A run of events and where to go on. An empty page is not the end unless `caughtUp` is true. */
export const EventPage = described(
  z.object({
    ...Page.shape,
    caughtUp: described(z.boolean(), {
      description:
        "Nothing is left to read from the cursor right now, or up to `until`; with `order=desc`, nothing older.",
    }),
    looked: described(z.int().check(z.gte(0)), {
      description: "How many events this page looked at, those included that a filter left out.",
    }),
    lag: described(z.optional(Lag), {
      description: "What is left to read from the cursor; absent when reading goes back.",
    }),
    nextPollMs: z.optional(NextPollMs),
  }),
  {
    id: "EventPage",
    description:
      "A page of events and the cursor after them. An empty page is not the end by itself.",
  },
);
