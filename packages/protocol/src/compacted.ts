import * as z from "zod/mini";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { Cursor, described, ListQuery, Name, wellFormedText } from "./text.ts";

/** The part of the compacted state that a list shows, and the place where it continues. */
export const CompactedQuery = z.strictObject({
  ...ListQuery.shape,
  cursor: z.optional(Cursor),
  keyPrefix: described(z.optional(wellFormedText(LIMITS.keyBytesMax)), {
    description: "Only keys that begin with this.",
  }),
  prefix: described(z.optional(wellFormedText(LIMITS.keyBytesMax)), {
    description: "The former name of `keyPrefix`.",
  }),
  key: described(z.optional(EventKey), {
    description:
      "The state of this key alone, answered as by `GET …/compacted/{key}`: for keys that a path cannot hold.",
  }),
});
export type CompactedQuery = z.infer<typeof CompactedQuery>;

export const CompactedParams = z.strictObject({ stream: Name, key: EventKey });
