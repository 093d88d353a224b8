import * as z from "zod/mini";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { described, Name, Sequence, SequenceQuery, wellFormedText } from "./text.ts";

export const Reason = described(wellFormedText(LIMITS.parkReasonBytesMax), {
  description: "The reason, for people.",
});

/** The event that cannot be processed. Its key is parked from that event on. */
export const ParkBody = described(
  z.strictObject({
    sequence: described(Sequence, {
      description: "The sequence of the event that fails.",
    }),
    key: described(z.optional(EventKey), {
      description: "The event's key. Required on a stream with more than one partition.",
    }),
    reason: z._default(Reason, ""),
  }),
  { id: "ParkBody", examples: [{ sequence: 42, reason: "no such customer" }] },
);
export type ParkBody = z.infer<typeof ParkBody>;

/**
 * The event that the client wants to skip. The first event of the key may have changed since the
 * client read it.
 */
export const SkipQuery = z.strictObject({
  sequence: described(z.optional(SequenceQuery), {
    description:
      "The sequence of the event to skip. Nothing is skipped unless it is the key's first waiting event.",
  }),
});

/** The key, when the path does not name it. */
export const ReleaseQuery = z.strictObject({
  key: described(EventKey, { description: "The parked key." }),
});

export const SkipKeyQuery = z.strictObject({ ...ReleaseQuery.shape, ...SkipQuery.shape });

export const ParkedParams = z.strictObject({ stream: Name, subscription: Name, key: EventKey });
