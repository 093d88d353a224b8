import * as z from "zod/mini";
import { NewEvent } from "../event.ts";
import { LIMITS } from "../limits.ts";
import { Cursor, described, Timestamp } from "../text.ts";
import { Lag } from "./lag.ts";
import { Life } from "./life.ts";

export const NewEvents = described(
  z.strictObject({
    events: described(z.array(NewEvent).check(z.minLength(1)), {
      description: "The events in the order that they will have in the log.",
    }),
  }),
  {
    id: "NewEvents",
    description: `At most ${LIMITS.requestEventsMax} events. Either all of them are published or none.`,
  },
);

/** The body of a publish: one event, or several that are committed together. */
export const PublishBody = described(z.union([NewEvent, NewEvents]), {
  id: "PublishBody",
  description: "One event, or several that are committed together.",
});

/** The NDJSON form of a publish: one event per line. */
export const EventLines = described(z.string(), {
  description: "One event per line, each as in `application/json`.",
});

/** The data of a CloudEvent in binary mode. */
export const BinaryData = described(z.string(), {
  format: "binary",
  description:
    "The data of a CloudEvent in binary mode, of any content type. It needs `ce-*` headers. An empty body is a tombstone.",
});

/** The event-stream form of the pages of a poll or of browsing. */
export const EventStream = described(z.string(), {
  description:
    "Server-sent events without end: `event: page` with a page as `data` and its cursor as `id`, and `event: problem` with the problem that ends the stream.",
});

/** The headers of a request for an event stream. */
export const FollowHeaders = z.object({
  "Last-Event-ID": described(z.optional(z.string()), {
    description:
      "Only with `Accept: text/event-stream`: the cursor after which to continue. It replaces `after` and `from`. Browsers send it when they reconnect.",
  }),
});

/** An event as a reader receives it. */
export const LedgerEvent = described(
  z.object({
    sequence: described(z.int().check(z.gte(1)), {
      description: "The sequence of the event. Sequences rise strictly for each key.",
    }),
    publishedAt: described(Timestamp, { description: "When the event became durable." }),
    id: described(z.string(), {
      description: "The publisher's id, or one that is derived from the event's place in the log.",
    }),
    key: described(z.string(), { description: "What the event is about." }),
    type: described(z.optional(z.string()), { description: "What kind of event it is." }),
    time: described(z.optional(Timestamp), {
      description: "When the event happened, if the publisher gave a time.",
    }),
    headers: described(z.optional(z.record(z.string(), z.string())), {
      description: "Further attributes of the event, by name.",
    }),
    erased: described(z.optional(z.literal(true)), {
      description: "Present when an erasure took the headers and the data. The data is null then.",
    }),
    erasure: described(z.optional(z.string()), {
      description:
        "Present in the tombstone of an erasure: its id. Delete every copy of the key's earlier data.",
    }),
    data: described(z.unknown(), {
      description: "The data exactly as it was sent. null is a tombstone: it deletes the key.",
    }),
  }),
  { id: "LedgerEvent", description: "An event as a reader receives it." },
);
export type LedgerEvent = z.infer<typeof LedgerEvent>;

const PublishedEvent = described(
  z.object({
    id: described(z.string(), {
      description: "The publisher's id, or one that is derived from the event's place in the log.",
    }),
    sequence: described(z.int().check(z.gte(1)), {
      description: "The sequence of the event. Sequences rise strictly for each key.",
    }),
  }),
  { id: "PublishedEvent", description: "The id and the sequence of a durable event." },
);

/** The receipt for durable events, in the order in which they were sent. */
export const PublishReceipt = described(
  z.object({
    events: described(z.array(PublishedEvent), { description: "One entry for each event." }),
    cursor: described(Cursor, {
      description: "The position right after these events.",
    }),
    life: Life,
  }),
  {
    id: "PublishReceipt",
    description: "The receipt for the published events, in the order in which they were sent.",
  },
);
export type PublishReceipt = z.infer<typeof PublishReceipt>;

/** The longest wait that the service allows for such a request. */
export const WaitSecondsAdvised = described(z.int().check(z.gte(0), z.lte(LIMITS.waitSecondsMax)), {
  description:
    "The `waitSeconds` to ask for. More has no effect. With 0, waiting is off or too expensive, and the client should poll again after `nextPollMs`.",
});

/** The members of every page of events. */
export const Page = z.object({
  events: described(z.array(LedgerEvent), { description: "The events in reading order." }),
  cursor: described(Cursor, { description: "The place to continue from." }),
  caughtUp: described(z.boolean(), {
    description: "True when the stream has no events after the cursor at this moment.",
  }),
  waitSecondsAdvised: WaitSecondsAdvised,
  life: Life,
});

export const NextPollMs = described(z.int().check(z.gte(0)), {
  description: "The number of milliseconds to wait before the next poll.",
});

/** Where the events of a page come from. */
export const Tier = described(z.enum(["hot", "cold"]), {
  description:
    "`cold` when some of the events that this page read come from the archive, `hot` otherwise.",
});
export type Tier = z.infer<typeof Tier>;

/**
 * A page of events and the cursor after them. An empty page is not the end of the stream unless
 * `caughtUp` is true.
 */
export const EventPage = described(
  z.object({
    ...Page.shape,
    caughtUp: described(z.boolean(), {
      description:
        "True when no events follow the cursor at this moment, or none before `until`. With `order=desc`, true when there are no older events.",
    }),
    looked: described(z.int().check(z.gte(0)), {
      description:
        "The number of events that this page read, including those that a filter left out.",
    }),
    lag: described(z.optional(Lag), {
      description:
        "The number of events that follow the cursor, and their age. Absent when reading backwards.",
    }),
    nextPollMs: z.optional(NextPollMs),
    tier: Tier,
  }),
  {
    id: "EventPage",
    description:
      "A page of events and the cursor after them. An empty page alone does not mean the end.",
  },
);
