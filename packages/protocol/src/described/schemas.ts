import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { Compatibility, SchemasByType, Undeclared } from "../schemas.ts";
import { FieldPointer } from "../subscription.ts";
import { described, Name } from "../text.ts";

export const Schemas = described(
  z.object({
    schemas: SchemasByType,
    undeclared: Undeclared,
    compatibility: Compatibility,
  }),
  { id: "Schemas", description: "The schemas of a stream's events." },
);
export type Schemas = z.infer<typeof Schemas>;

const SchemaDifference = described(
  z.object({
    direction: described(z.enum(["backward", "forward"]), {
      description:
        "`backward`: the new schemas may refuse what the former ones accept. `forward`: the reverse.",
    }),
    type: described(z.optional(z.string()), {
      description: "The type of event. Absent for `undeclared`.",
    }),
    pointer: described(z.string(), {
      description:
        "What may refuse the data: a JSON pointer into the request for `backward`, and into the former schemas for `forward`.",
    }),
    rule: described(z.string(), {
      description:
        "The keyword there, `false` for a schema that allows nothing, `removed` for a schema that is no longer there, `undeclared`, or `steps` if the comparison takes too many.",
    }),
    detail: described(z.string(), { description: "Why it is not proven to be compatible." }),
  }),
  {
    id: "SchemaDifference",
    description: "A part of a schema that is not proven to be compatible.",
  },
);
export type SchemaDifference = z.infer<typeof SchemaDifference>;

const BrokenRead = described(
  z.object({
    subscription: described(Name, { description: "The subscription that reads the field." }),
    type: described(z.string(), { description: "The type of event." }),
    field: FieldPointer,
    detail: described(z.string(), {
      description: "Why the subscription can no longer read the field.",
    }),
  }),
  { id: "BrokenRead", description: "A field that a subscription reads and a change breaks." },
);
export type BrokenRead = z.infer<typeof BrokenRead>;

export const SchemaCheck = described(
  z.object({
    accepted: described(z.boolean(), {
      description: "Whether a PUT of these schemas is accepted without `force`.",
    }),
    backward: described(z.boolean(), {
      description: "Whether the new schemas accept all data that the former ones accept.",
    }),
    forward: described(z.boolean(), {
      description: "Whether the former schemas accept all data that the new ones accept.",
    }),
    differences: described(z.array(SchemaDifference), {
      description: `Why the change is not backward or forward compatible, whatever the mode: the first ${LIMITS.schemaDifferencesMax} reasons.`,
    }),
    breaks: described(z.array(BrokenRead), {
      description: `The fields that subscriptions read and the change breaks: the first ${LIMITS.brokenReadsMax}.`,
    }),
  }),
  { id: "SchemaCheck", description: "What a change of schemas would do." },
);
export type SchemaCheck = z.infer<typeof SchemaCheck>;
