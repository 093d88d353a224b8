import * as z from "zod/mini";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { Cursor, described, ListQuery, Name, wellFormedText } from "./text.ts";

/** The query of a list of current states: which keys to include and where to continue. */
export const CompactedQuery = z.strictObject({
  ...ListQuery.shape,
  cursor: z.optional(Cursor),
  keyPrefix: described(z.optional(wellFormedText(LIMITS.keyBytesMax)), {
    description: "Only states of keys that begin with this.",
  }),
  prefix: described(z.optional(wellFormedText(LIMITS.keyBytesMax)), {
    description: "The former name of `keyPrefix`.",
  }),
  key: described(z.optional(EventKey), {
    description:
      "Only the state of this key, in the form of `GET …/compacted/{key}`. For keys that cannot be part of a path.",
  }),
});
export type CompactedQuery = z.infer<typeof CompactedQuery>;

export const CompactedParams = z.strictObject({ stream: Name, key: EventKey });
