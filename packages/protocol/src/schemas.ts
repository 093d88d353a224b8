import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedText, described } from "./text.ts";

export const COMPATIBILITIES = ["none", "backward", "forward", "full"] as const;

export const Compatibility = described(z.enum(COMPATIBILITIES), {
  description:
    "Which changes of a schema are accepted. `backward`: the new one accepts all data that the former one accepts. `forward`: the former one accepts all data that the new one accepts. `full`: both. `none`: any change.",
});

export const Undeclared = described(z.enum(["accepted", "refused"]), {
  description: "What happens to events without a type, or with a type that has no schema.",
});

export const SchemasByType = described(z.record(boundedText(LIMITS.typeBytesMax), z.unknown()), {
  description: `JSON Schemas (draft 2020-12) by the type of event, at most ${LIMITS.schemaTypesMax}. PROTOCOL.md lists the keywords that are supported.`,
});

/** The schemas of a stream's events. They replace the former ones. */
export const PutSchemas = described(
  z.strictObject({
    schemas: SchemasByType,
    undeclared: z._default(Undeclared, "accepted"),
    compatibility: z.optional(Compatibility),
  }),
  {
    id: "PutSchemas",
    description:
      "The schemas of a stream's events. Without `compatibility` it stays as it is, which is `none` at first.",
    examples: [
      {
        schemas: {
          "order.placed": {
            type: "object",
            properties: { total: { type: "number", minimum: 0 } },
            required: ["total"],
          },
        },
        compatibility: "backward",
      },
    ],
  },
);
export type PutSchemas = z.infer<typeof PutSchemas>;

export const PutSchemasQuery = z.strictObject({
  force: described(z._default(z.enum(["true", "false"]), "false"), {
    description:
      "With `true`, the schemas are replaced even if the mode forbids the change, or a subscription reads a field that it breaks.",
  }),
});
