import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import {
  boundedText,
  Cursor,
  described,
  Name,
  queryInteger,
  Timestamp,
  wellFormedText,
} from "./text.ts";

const HEADER_NAME = new RegExp(`^[a-z0-9][a-z0-9_.-]{0,${LIMITS.headerNameCharsMax - 1}}$`);

export const EventKey = described(boundedText(LIMITS.keyBytesMax), {
  id: "EventKey",
  description: "What the event is about. Events of one key are ordered and compacted together.",
  examples: ["order-123"],
});

/** Headers by name; at most so many. */
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

/** Everything of a new event but its data, which is kept as the text that was sent. */
export const EventAttributes = z.strictObject(attributes);
export type EventAttributes = z.infer<typeof EventAttributes>;

const EventData = described(
  z.unknown().check(
    z.refine((data) => data !== undefined, {
      error: "is required; send null to delete the key from the compacted state",
    }),
  ),
  { description: "Any JSON, returned byte for byte. null is a tombstone: it deletes the key." },
);

/** What the last sequence of a key must be for its events to be written. */
export const ExpectedSequence = described(z.nullable(z.int().check(z.gte(0))), {
  description:
    "Publish only if this is the sequence of the key's last event. 0 or null: only if the key has no current state.",
});

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
  { description: "The most events a page may hold.", default: LIMITS.pageEventsDefault },
);

/** A sequence as text. No cursor is that short. */
const SequenceText = z.string().check(z.regex(/^[1-9]\d{0,13}$/, { error: "must be a sequence" }));

/**
 * Where reading starts: an end of the stream, a moment, behind what a cursor has covered, or, on a
 * stream with one partition, a sequence.
 */
export const From = described(
  z.union([z.enum(["earliest", "latest"]), Timestamp, SequenceText, Cursor], {
    error: "must be earliest, latest, an RFC 3339 time, a sequence or a cursor",
  }),
  { id: "From", examples: ["earliest"] },
);

export const BrowseQuery = z.strictObject({
  from: z._default(From, "earliest"),
  limit: PageLimit,
  type: z.optional(boundedText(LIMITS.typeBytesMax)),
  key: z.optional(EventKey),
});
export type BrowseQuery = z.infer<typeof BrowseQuery>;

export const StreamParams = z.strictObject({ stream: Name });
