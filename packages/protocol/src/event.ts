import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { QueryPlace } from "./place.ts";
import {
  boundedInteger,
  boundedText,
  described,
  Name,
  queryInteger,
  ReadableName,
  SequenceQuery,
  Timestamp,
  wellFormedText,
} from "./text.ts";

const HEADER_NAME = new RegExp(`^[a-z0-9][a-z0-9_.-]{0,${LIMITS.headerNameCharsMax - 1}}$`);

export const EventKey = described(boundedText(LIMITS.keyBytesMax), {
  id: "EventKey",
  description:
    "The key: what the event is about. Events of one key are ordered and compacted together.",
  examples: ["order-123"],
});

/** A map of headers with at most `most` entries. */
export const headersOf = (most: number) =>
  z
    .record(
      z.string().check(z.regex(HEADER_NAME, { error: `must match ${HEADER_NAME.source}` })),
      wellFormedText(LIMITS.headerValueBytesMax),
    )
    .check(
      z.refine((headers) => Object.keys(headers).length <= most, {
        error: `must have at most ${most} members`,
      }),
    );

const attributes = {
  key: EventKey,
  type: z.optional(boundedText(LIMITS.typeBytesMax)),
  id: z.optional(boundedText(LIMITS.idBytesMax)),
  time: z.optional(Timestamp),
  headers: z.optional(headersOf(LIMITS.headersMax)),
};

/** A new event without its data. The data is kept separately, as the text that was sent. */
export const EventAttributes = z.strictObject(attributes);
export type EventAttributes = z.infer<typeof EventAttributes>;

const EventData = described(
  z.unknown().check(
    z.refine((data) => data !== undefined, {
      error: "is required; send null to delete the key from the compacted state",
    }),
  ),
  {
    description: "Any JSON value, returned byte for byte. null is a tombstone: it deletes the key.",
  },
);

/**
 * The sequence that the last event of a key must have, or the events of the key are not written.
 */
export const ExpectedSequence = described(
  z.nullable(boundedInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, or: "null" })),
  {
    description:
      "Publish only if this is the sequence of the key's last event. 0 or null: only if the key has no current state.",
  },
);

/** An event as a publisher sends it. */
export const NewEvent = described(
  z.strictObject({
    ...attributes,
    expectedSequence: z.optional(ExpectedSequence),
    data: EventData,
  }),
  {
    id: "NewEvent",
    examples: [{ key: "order-123", type: "order.placed", data: { total: 42 } }],
  },
);
export type NewEvent = z.infer<typeof NewEvent>;

export const PageLimit = described(
  z._default(queryInteger({ min: 1, max: LIMITS.pageEventsMax }), LIMITS.pageEventsDefault),
  { description: "The maximum number of events in a page.", default: LIMITS.pageEventsDefault },
);

const WAIT =
  "How long to wait when there are no events. The answer comes as soon as there are some.";

export const WaitSeconds = described(boundedInteger({ min: 0, max: LIMITS.waitSecondsMax }), {
  description: WAIT,
});

export const WaitSecondsQuery = described(queryInteger({ min: 0, max: LIMITS.waitSecondsMax }), {
  description: WAIT,
});

/** The query that reads a stream without a subscription. */
export const BrowseQuery = z.strictObject({
  from: described(z.optional(QueryPlace), {
    description:
      "Where reading begins. The default is `earliest`. With `order=desc` the default is `latest`, and reading goes back from there.",
  }),
  until: described(z.optional(QueryPlace), {
    description: "Where reading ends. The event at this place is read only with `order=desc`.",
  }),
  order: described(z.optional(z.enum(["asc", "desc"])), {
    description: "The order of the events. `desc` means newest first.",
  }),
  last: described(z.optional(queryInteger({ min: 1, max: LIMITS.pageEventsMax })), {
    description:
      "Reads this number of events before `until` or the end, in their order. `from`, `order` and `limit` cannot be sent with it. The cursor continues after these events.",
  }),
  limit: PageLimit,
  type: z.optional(boundedText(LIMITS.typeBytesMax)),
  key: described(z.optional(EventKey), { description: "Only events with this key." }),
  keyPrefix: described(z.optional(boundedText(LIMITS.keyBytesMax)), {
    description: "Only events whose keys begin with this.",
  }),
  sequence: described(z.optional(SequenceQuery), {
    description:
      "Reads the one event with this sequence and with `key`. On a stream with one partition `key` is optional.",
  }),
  waitSeconds: z.optional(WaitSecondsQuery),
});
export type BrowseQuery = z.infer<typeof BrowseQuery>;

export const StreamParams = z.strictObject({ stream: Name });

/** A stream, or the audit stream. */
export const ReadableParams = z.strictObject({ stream: ReadableName });
