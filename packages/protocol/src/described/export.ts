import * as z from "zod/mini";
import { Cursor, described, ListCursor, Timestamp } from "../text.ts";

const count = z.int().check(z.gte(0));

const summary = {
  id: described(z.string(), { description: "The id of the export." }),
  view: described(z.enum(["log", "state"]), { description: "What the export contains." }),
  status: described(z.enum(["running", "done", "failed"]), {
    description: "While it is `running`, request it again. The listed parts are complete.",
  }),
  createdAt: described(Timestamp, { description: "When the export began." }),
  expiresAt: described(Timestamp, { description: "When its objects are removed." }),
  partCount: described(count, { description: "The number of its parts so far." }),
  events: described(count, { description: "The number of events in these parts." }),
  rawBytes: described(count, { description: "The size of their lines before compression." }),
  bytes: described(count, { description: "The size of their objects." }),
  follow: described(z.optional(Cursor), {
    description:
      "The cursor for reading exactly the events that come after the export: `from` of GET .../events, `start.cursor` of a subscription. Only when it is done.",
  }),
  problem: described(z.optional(z.string()), {
    description: "The code of the problem that ended it.",
  }),
};

/** An object of an export. */
export const ExportPart = described(
  z.object({
    events: described(count, { description: "The number of its events." }),
    rawBytes: described(count, { description: "The size of its lines before compression." }),
    bytes: described(count, { description: "The size of the object." }),
    sha256: described(z.string(), { description: "The SHA-256 of the object, in hexadecimal." }),
    object: described(z.string(), { description: "The name of the object in the bucket." }),
    ranges: described(
      z.array(
        z.object({
          partition: described(count, { description: "A partition with events in this part." }),
          first: described(count, { description: "The sequence of its first event here." }),
          last: described(count, { description: "The sequence of its last event here." }),
        }),
      ),
      { description: "The sequences of its events by partition. Empty for a state." },
    ),
    url: described(z.string(), {
      description: "A URL that reads the object without a key for an hour. Keep it secret.",
    }),
  }),
  { id: "ExportPart", description: "Gzip of one event a line." },
);
export type ExportPart = z.infer<typeof ExportPart>;

export const Export = described(
  z.object({
    ...summary,
    parts: described(z.array(ExportPart), { description: "A page of the parts, in order." }),
    cursor: described(z.nullable(ListCursor), {
      description: "Where the list of parts continues; null at the last part so far.",
    }),
  }),
  { id: "Export", description: "An export with a page of its parts." },
);
export type Export = z.infer<typeof Export>;

export const ExportList = described(
  z.object({
    exports: described(
      z.array(
        described(z.object(summary), {
          id: "ExportSummary",
          description: "An export without its parts.",
        }),
      ),
      {
        description: "The exports that have not expired, oldest first.",
      },
    ),
  }),
  { id: "ExportList", description: "The exports of a stream." },
);
export type ExportList = z.infer<typeof ExportList>;
