import * as z from "zod/mini";
import { EventKey } from "../event.ts";
import { Reason } from "../parking.ts";
import { described, ListCursor, Timestamp } from "../text.ts";

/** A key whose events wait. */
export const ParkedKey = described(
  z.object({
    key: EventKey,
    sequence: described(z.int().check(z.gte(1)), {
      description: "The first waiting event of the key, or the one that was skipped.",
    }),
    reason: Reason,
    parkedAt: described(Timestamp, { description: "When the key was parked." }),
    status: described(z.enum(["parked", "retrying"]), {
      description:
        "`parked`: its events wait. `retrying`: its events are delivered again, and once they are committed the key is no longer parked.",
    }),
    expired: described(z.optional(z.boolean()), {
      description:
        "True when its first waiting event is no longer kept. A skip continues with the events that are left.",
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
      description: "`free`: no event of the key waits before the committed position.",
    }),
  }),
  { id: "ReleaseReceipt", description: "The state of a key after a retry or a skip." },
);
export type ReleaseReceipt = z.infer<typeof ReleaseReceipt>;
