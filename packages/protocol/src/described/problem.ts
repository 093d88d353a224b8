import * as z from "zod";
import { type ProblemCode, problemCodes } from "../problem.ts";

/** The body of every error, as `application/problem+json` (RFC 9457). */
export const Problem = z
  .looseObject({
    type: z.string().meta({ description: "Where the code is explained." }),
    title: z.string(),
    status: z.int(),
    code: z.enum(problemCodes as [ProblemCode, ...ProblemCode[]]),
    detail: z.string().optional().meta({ description: "What happened here and what to do next." }),
    instance: z.string().optional().meta({ description: "The request id." }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: "JSON Pointer (RFC 6901) into the request." }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem", description: "An error, as application/problem+json (RFC 9457)." });
export type Problem = z.infer<typeof Problem>;
