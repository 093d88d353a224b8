import * as z from "zod/mini";
import { Cursor, described, Sequence, Timestamp, timestampOr } from "./text.ts";

/**
 * A number of digits only is a sequence, however many there are: no cursor is made of digits only.
 */
const SequenceText = z.string().check(z.regex(/^\d+$/, { error: "must be a sequence" }));

const BODY_FORMS =
  "must be earliest, latest, bootstrap, an RFC 3339 time, { timestamp }, { sequence } or { cursor }";

const places = [
  z.strictObject({ timestamp: Timestamp }),
  z.strictObject({
    sequence: described(Sequence, {
      description: "Of an event, on a stream with one partition.",
    }),
  }),
  z.strictObject({ cursor: Cursor }),
] as const;

/** A place as it is kept and shown, in one form. */
export const Start = described(z.union([z.enum(["earliest", "latest", "bootstrap"]), ...places]), {
  id: "Start",
  description: "Where a subscription started.",
  examples: ["earliest", "bootstrap"],
});
export type Start = z.infer<typeof Start>;

/**
 * A place in a body: where a subscription starts, or where a seek moves it. `bootstrap` is the
 * current state of every key, then the log. A time is plain text or `{ timestamp }`. A sequence
 * names a place only on a stream with one partition. A cursor must be one of this stream.
 */
export const Place = described(
  z.union([z.enum(["earliest", "latest", "bootstrap"]), timestampOr(BODY_FORMS), ...places], {
    error: BODY_FORMS,
  }),
  {
    id: "Place",
    description:
      "An end of the stream, a time, what a cursor covers, on a stream with one partition a sequence, or `bootstrap`: the current state of every key, then the log.",
    examples: ["earliest", "2026-11-24T08:30:00Z", { sequence: 42 }],
  },
);
export type Place = z.infer<typeof Place>;

/**
 * A place in a query, where everything is text. A sequence is its digits, and a cursor is itself.
 */
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
