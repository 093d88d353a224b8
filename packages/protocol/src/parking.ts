import * as z from "zod/mini";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { described, Name, Sequence, SequenceQuery, wellFormedText } from "./text.ts";

export const Reason = described(wellFormedText(LIMITS.parkReasonBytesMax), {
  description: "Why, for people.",
});

/** The event that cannot be processed. Its key is set aside from that event on. */
export const ParkBody = described(
  z.strictObject({
    sequence: described(Sequence, {
      description: "The event that fails.",
    }),
    key: described(z.optional(EventKey), {
      description: "The event's key; needed on a stream with more than one partition.",
    }),
    reason: z._default(Reason, ""),
  }),
  { id: "ParkBody", examples: [{ sequence: 42, reason: "no such customer" }] },
);
export type ParkBody = z.infer<typeof ParkBody>;

/** The event that the client wants to skip. A different event may be first by now. */
export const SkipQuery = z.strictObject({
  sequence: described(z.optional(SequenceQuery), {
    description: "Skip nothing unless the key's first event that waits is this one.",
  }),
});

/** The key, when the path does not name it. */
export const ReleaseQuery = z.strictObject({ key: EventKey });

export const SkipKeyQuery = z.strictObject({ ...ReleaseQuery.shape, ...SkipQuery.shape });

export const ParkedParams = z.strictObject({ stream: Name, subscription: Name, key: EventKey });
