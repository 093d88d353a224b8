import * as z from "zod/mini";
import { type ProblemCode, problemCodes } from "../problem.ts";
import { described } from "../text.ts";

/** The body of every error, as `application/problem+json` (RFC 9457). */
export const Problem = described(
  z.looseObject({
    type: described(z.string(), { description: "Where the code is explained." }),
    title: z.string(),
    status: z.int(),
    code: z.enum(problemCodes as [ProblemCode, ...ProblemCode[]]),
    detail: described(z.optional(z.string()), {
      description: "What happened here and what to do next.",
    }),
    instance: described(z.optional(z.string()), { description: "The request id." }),
    errors: z.optional(
      z.array(
        z.object({
          pointer: described(z.string(), {
            description: "JSON Pointer (RFC 6901) into the request.",
          }),
          detail: z.string(),
        }),
      ),
    ),
  }),
  { id: "Problem", description: "An error, as application/problem+json (RFC 9457)." },
);
export type Problem = z.infer<typeof Problem>;
