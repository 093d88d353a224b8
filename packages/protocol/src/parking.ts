import * as z from "zod";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { Name, queryInteger, wellFormedText } from "./text.ts";

export const Reason = wellFormedText(LIMITS.parkReasonBytesMax).meta({
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

/** Which event is meant to be skipped: another may be first by now. */
export const SkipQuery = z.strictObject({
  sequence: queryInteger({ min: 1, max: Number.MAX_SAFE_INTEGER })
    .optional()
    .meta({ description: "Skip nothing unless the key's first event that waits is this one." }),
});

export const ParkedParams = z.strictObject({ stream: Name, subscription: Name, key: EventKey });
