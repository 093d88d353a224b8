import * as z from "zod/mini";
import { described, ListCursor, Timestamp } from "../text.ts";

const count = z.int().check(z.gte(0));

const UsageAmount = described(
  z.object({
    events: described(count, { description: "The number of events." }),
    bytes: described(count, { description: "The size of these events in bytes." }),
  }),
  { id: "UsageAmount", description: "Events and their size." },
);

const UsageStored = described(
  z.object({
    hotBytes: described(count, {
      description:
        "The bytes of the events whose retention had not passed, in whole hours, before compression.",
    }),
    archivedBytes: described(count, { description: "The size of the archive in its bucket." }),
    compactedBytes: described(count, {
      description:
        "The bytes of the latest event of each key that is not deleted, before compression.",
    }),
  }),
  {
    id: "UsageStored",
    description: "What was stored at the end of the step, or what is stored at present.",
  },
);

export const UsageEntry = described(
  z.object({
    time: described(Timestamp, { description: "When the hour or the day begins." }),
    stream: described(z.optional(z.string()), { description: "The stream, with `by=stream`." }),
    key: described(z.optional(z.string()), {
      description: "The id of the API key, or `root` for the admin key, with `by=key`.",
    }),
    tenant: described(z.optional(z.string()), { description: "The tenant, with `by=tenant`." }),
    published: described(UsageAmount, {
      description:
        "By stream and by tenant the numbers are exact. By key they are the counts of the servers.",
    }),
    delivered: described(UsageAmount, {
      description:
        "The events in answers, as often as they were sent, and the bytes of their data.",
    }),
    requests: described(count, { description: "The requests with a valid API key." }),
    stored: z.optional(UsageStored),
  }),
  { id: "UsageEntry", description: "What a stream, a key or a tenant used in an hour or a day." },
);
export type UsageEntry = z.infer<typeof UsageEntry>;

export const UsageList = described(
  z.object({
    usage: described(z.array(UsageEntry), {
      description:
        "The entries of this page, in the order of time. A time without usage has no entry.",
    }),
    countedTo: described(Timestamp, {
      description:
        "Everything published before this is counted. Hours that end three hours before it are final.",
    }),
    cursor: z.nullable(ListCursor),
  }),
  { id: "UsageList", description: "A page of usage." },
);
export type UsageList = z.infer<typeof UsageList>;

export const UsageLines = described(z.string(), {
  id: "UsageLines",
  description:
    "The same as CSV (RFC 4180) with a header line. The headers EventLedger-Counted-To and EventLedger-Cursor have the other members.",
});
