import * as z from "zod";
import { LIMITS } from "./limits.ts";
import { boundedText, Cursor, Name, queryInteger, Timestamp, wellFormedText } from "./text.ts";

const HEADER_NAME = new RegExp(`^[a-z0-9][a-z0-9_.-]{0,${LIMITS.headerNameCharsMax - 1}}$`);

export const EventKey = boundedText(LIMITS.keyBytesMax).meta({
  id: "EventKey",
  description: "What the event is about. Events of one key are ordered and compacted together.",
  examples: ["order-123"],
});

/** Headers by name; at most so many. */
export const headersOf = (most: number) =>
  z
    .record(
      z.string().regex(HEADER_NAME, { error: `must match ${HEADER_NAME.source}` }),
      wellFormedText(LIMITS.headerValueBytesMax),
    )
    .refine((headers) => Object.keys(headers).length <= most, {
      error: `must have at most ${most} members`,
    });

const attributes = {
  key: EventKey,
  type: boundedText(LIMITS.typeBytesMax).optional(),
  id: boundedText(LIMITS.idBytesMax).optional(),
  time: Timestamp.optional(),
  headers: headersOf(LIMITS.headersMax).optional(),
};

/** Everything of a new event but its data, which is kept as the text that was sent. */
export const EventAttributes = z.strictObject(attributes);
export type EventAttributes = z.infer<typeof EventAttributes>;

const EventData = z
  .unknown()
  .refine((data) => data !== undefined, {
    error: "is required; send null to delete the key from the compacted state",
  })
  .meta({
    description: "Any JSON, returned byte for byte. null is a tombstone: it deletes the key.",
  });

/** An event as a publisher sends it. */
export const NewEvent = z.strictObject({ ...attributes, data: EventData }).meta({
  id: "NewEvent",
  examples: [{ key: "order-123", type: "order.placed", data: { total: 42 } }],
});
export type NewEvent = z.infer<typeof NewEvent>;

export const PageLimit = queryInteger({ min: 1, max: LIMITS.pageEventsMax })
  .default(LIMITS.pageEventsDefault)
  .meta({ description: "The most events a page may hold.", default: LIMITS.pageEventsDefault });

/** A sequence as text. No cursor is that short. */
const SequenceText = z.string().regex(/^[1-9]\d{0,13}$/, { error: "must be a sequence" });

/**
 * Where reading starts: an end of the stream, a moment, behind what a cursor has covered, or, on a
 * stream with one partition, a sequence.
 */
export const From = z
  .union([z.enum(["earliest", "latest"]), Timestamp, SequenceText, Cursor], {
    error: "must be earliest, latest, an RFC 3339 time, a sequence or a cursor",
  })
  .meta({ id: "From", examples: ["earliest"] });

export const BrowseQuery = z.strictObject({
  from: From.default("earliest"),
  limit: PageLimit,
  type: boundedText(LIMITS.typeBytesMax).optional(),
  key: EventKey.optional(),
});
export type BrowseQuery = z.infer<typeof BrowseQuery>;

export const StreamParams = z.strictObject({ stream: Name });
