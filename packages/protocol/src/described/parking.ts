import * as z from "zod/mini";
import { EventKey } from "../event.ts";
import { Reason } from "../parking.ts";
import { described, ListCursor, Timestamp } from "../text.ts";

/** A key whose events wait. */
export const ParkedKey = described(
  z.object({
    key: EventKey,
    sequence: described(z.int().check(z.gte(1)), {
      description: "Its first event that waits, or the one that was skipped.",
    }),
    reason: Reason,
    parkedAt: described(Timestamp, { description: "When it was set aside." }),
    status: described(z.enum(["parked", "retrying"]), {
      description: "`retrying`: once what waits is delivered and committed, the key is free.",
    }),
    expired: described(z.optional(z.boolean()), {
      description: "Its first event is no longer kept: a skip goes on with what is left.",
    }),
  }),
  { id: "ParkedKey", description: "A key whose events wait." },
);
export type ParkedKey = z.infer<typeof ParkedKey>;

export const ParkedList = described(
  z.object({ parked: z.array(ParkedKey), cursor: z.nullable(ListCursor) }),
  { id: "ParkedList", description: "A page of parked keys." },
);
export type ParkedList = z.infer<typeof ParkedList>;

/** The state of a key after a retry or a skip. */
export const ReleaseReceipt = described(
  z.object({
    key: EventKey,
    status: described(z.enum(["retrying", "free"]), {
      description: "`free`: nothing of it waits below the committed position.",
    }),
  }),
  { id: "ReleaseReceipt", description: "The state of a key after a retry or a skip." },
);
export type ReleaseReceipt = z.infer<typeof ReleaseReceipt>;
