import * as z from "zod/mini";
import { Cursor, described, Sequence, Timestamp, timestampOr } from "./text.ts";

/**
 * A text of digits only is a sequence, with any number of digits. No cursor consists of digits
 * only.
 */
const SequenceText = z.string().check(z.regex(/^\d+$/, { error: "must be a sequence" }));

const BODY_FORMS =
  "must be earliest, latest, bootstrap, an RFC 3339 time, { timestamp }, { sequence }, { cursor } or { since }";

const places = [
  z.strictObject({ timestamp: Timestamp }),
  z.strictObject({
    sequence: described(Sequence, {
      description: "The sequence of an event, on a stream with one partition.",
    }),
  }),
  z.strictObject({ cursor: Cursor }),
] as const;

const since = z.strictObject({
  since: described(Cursor, {
    description:
      "The cursor up to which the state is known. The states that changed since come first, each once, deletions included, and then the log.",
  }),
});

/** The place where a subscription started, in the one form in which it is stored and shown. */
export const Start = described(
  z.union([z.enum(["earliest", "latest", "bootstrap"]), ...places, since]),
  {
    id: "Start",
    description: "Where a subscription started.",
    examples: ["earliest", "bootstrap"],
  },
);
export type Start = z.infer<typeof Start>;

/**
 * A place in a body: where a subscription starts, or where a seek moves it. `bootstrap` means the
 * current state of every key, and then the log. A time is plain text or `{ timestamp }`. A sequence
 * is a place only on a stream with one partition. A cursor must belong to this stream.
 */
export const Place = described(
  z.union(
    [z.enum(["earliest", "latest", "bootstrap"]), timestampOr(BODY_FORMS), ...places, since],
    {
      error: BODY_FORMS,
    },
  ),
  {
    id: "Place",
    description:
      "An end of the stream, a time, a cursor, or on a stream with one partition a sequence. `bootstrap` means the current state of every key, and then the log. `since` means the states that changed since a cursor, and then the log.",
    examples: ["earliest", "2026-11-24T08:30:00Z", { sequence: 42 }],
  },
);
export type Place = z.infer<typeof Place>;

/** A place in a query, where every value is text. A sequence is written as digits. */
export const QueryPlace = described(
  z.union([z.enum(["earliest", "latest"]), Timestamp, SequenceText, Cursor], {
    error: "must be earliest, latest, an RFC 3339 time, a sequence or a cursor",
  }),
  {
    id: "QueryPlace",
    description:
      "`earliest`, `latest`, an RFC 3339 time, a cursor, or on a stream with one partition a sequence.",
    examples: ["earliest"],
  },
);

const RANGE_FORMS =
  "must be earliest, latest, an RFC 3339 time, { timestamp }, { sequence } or { cursor }";

/**
 * A place where a range in a body begins or ends, as in other bodies or as in a query. `bootstrap`
 * is no end of a range.
 */
export const RangePlace = described(
  z.union(
    [z.enum(["earliest", "latest"]), timestampOr(RANGE_FORMS), SequenceText, Cursor, ...places],
    { error: RANGE_FORMS },
  ),
  {
    id: "RangePlace",
    description:
      "An end of the stream, a time, a cursor, or on a stream with one partition a sequence.",
    examples: ["earliest", "2026-11-24T08:30:00Z", { sequence: 42 }],
  },
);
export type RangePlace = z.infer<typeof RangePlace>;
