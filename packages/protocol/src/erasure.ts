import * as z from "zod/mini";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { boundedText, described, ListCursor, Name } from "./text.ts";

/** The body of a new erasure. */
export const CreateErasure = described(
  z.strictObject({
    key: EventKey,
    reason: described(boundedText(LIMITS.erasureReasonBytesMax), {
      description: "Why, for the receipt and the audit stream. Do not repeat the erased data here.",
    }),
  }),
  {
    id: "CreateErasure",
    description: "What to erase, and why.",
    examples: [{ key: "customer-17", reason: "Request 4711 of the data subject" }],
  },
);
export type CreateErasure = z.infer<typeof CreateErasure>;

export const ErasureId = described(
  z.string().check(
    z.regex(new RegExp(`^[0-9a-f]{${LIMITS.erasureIdChars}}$`), {
      error: "is not the id of an erasure",
    }),
  ),
  { id: "ErasureId", description: "The id of an erasure.", examples: ["019a4c5e7b2af0316d2c98e4"] },
);

export const ErasureParams = z.strictObject({ stream: Name, erasure: ErasureId });

export const VerifyErasureQuery = z.strictObject({
  cursor: described(z.optional(ListCursor), {
    description: "Where the check continues: the `cursor` of the previous answer.",
  }),
});
