import * as z from "zod/mini";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { Cursor, described, ListQuery, Name, queryInteger, wellFormedText } from "./text.ts";

/** The query of a list of current states: which keys to include and where to continue. */
export const CompactedQuery = z.strictObject({
  ...ListQuery.shape,
  cursor: z.optional(Cursor),
  since: described(z.optional(Cursor), {
    description:
      "Only keys that changed since this cursor of the stream, each once. A deleted key is listed with `data: null`. Later pages go on from `cursor` alone.",
  }),
  keyPrefix: described(z.optional(wellFormedText(LIMITS.keyBytesMax)), {
    description: "Only states of keys that begin with this.",
  }),
  prefix: described(z.optional(wellFormedText(LIMITS.keyBytesMax)), {
    description: "The former name of `keyPrefix`.",
  }),
  parts: described(z.optional(queryInteger({ min: 1, max: LIMITS.listPartsMax })), {
    description:
      "Divides the list after this page into up to this many parts, which can be read at the same time. The answer then has their cursors in `parts`, and no `cursor`.",
  }),
  key: described(z.optional(EventKey), {
    description:
      "Only the state of this key, in the form of `GET …/compacted/{key}`. For keys that cannot be part of a path.",
  }),
});
export type CompactedQuery = z.infer<typeof CompactedQuery>;

export const CompactedParams = z.strictObject({ stream: Name, key: EventKey });
