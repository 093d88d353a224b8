import * as z from "zod";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { ListCursor, Name, queryInteger, Timestamp, wellFormedText } from "./text.ts";

const Reason = wellFormedText(LIMITS.parkReasonBytesMax).meta({
  description: "Why, for people.",
});

/** Which event cannot be processed. Its key is set aside from there on. */
export const ParkBody = z
  .strictObject({
    sequence: z.int().min(1).meta({ description: "The event that fails." }),
    key: EventKey.optional().meta({
      description: "The event's key; needed on a stream with more than one partition.",
    }),
    reason: Reason.default(""),
  })
  .meta({ id: "ParkBody", examples: [{ sequence: 42, reason: "no such customer" }] });
export type ParkBody = z.infer<typeof ParkBody>;

/** A key whose events wait. */
export const ParkedKey = z
  .object({
    key: EventKey,
    sequence: z.int().min(1).meta({ description: "Its first event that waits." }),
    reason: Reason,
    parkedAt: Timestamp,
    status: z
      .enum(["parked", "retrying"])
      .meta({ description: "`retrying`: polls deliver what waits, and then the key is free." }),
  })
  .meta({ id: "ParkedKey" });
export type ParkedKey = z.infer<typeof ParkedKey>;

export const ParkedList = z
  .object({ parked: z.array(ParkedKey), cursor: ListCursor.nullable() })
  .meta({ id: "ParkedList" });
export type ParkedList = z.infer<typeof ParkedList>;

/** How a key stands after a retry or a skip. */
export const ReleaseReceipt = z
  .object({
    key: EventKey,
    status: z.enum(["retrying", "free"]).meta({
      description: "`free`: nothing of it waits below the committed position.",
    }),
  })
  .meta({ id: "ReleaseReceipt" });
export type ReleaseReceipt = z.infer<typeof ReleaseReceipt>;

/** Which event is meant to be skipped: another may be first by now. */
export const SkipQuery = z.strictObject({
  sequence: queryInteger({ min: 1, max: Number.MAX_SAFE_INTEGER })
    .optional()
    .meta({ description: "Skip nothing unless the key's first event that waits is this one." }),
});

export const ParkedParams = z.strictObject({ stream: Name, subscription: Name, key: EventKey });
