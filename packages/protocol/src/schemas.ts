import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedText, described } from "./text.ts";

const members = {
  schemas: described(z.record(boundedText(LIMITS.typeBytesMax), z.unknown()), {
    description: `JSON Schemas (draft 2020-12) by the type of event, at most ${LIMITS.schemaTypesMax}. PROTOCOL.md lists the keywords that are supported.`,
  }),
  undeclared: described(z._default(z.enum(["accepted", "refused"]), "accepted"), {
    description: "What happens to events without a type, or with a type that has no schema.",
  }),
};

/** The schemas of a stream's events. They replace the former ones. */
export const PutSchemas = described(z.strictObject(members), {
  id: "PutSchemas",
  description: "The schemas of a stream's events.",
  examples: [
    {
      schemas: {
        "order.placed": {
          type: "object",
          properties: { total: { type: "number", minimum: 0 } },
          required: ["total"],
        },
      },
    },
  ],
});
export type PutSchemas = z.infer<typeof PutSchemas>;
