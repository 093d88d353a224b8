import * as z from "zod/mini";
import { CURSOR_REASONS, type ProblemCode, problemCodes } from "../problem.ts";
import { described } from "../text.ts";

const InvalidPart = described(
  z.object({
    pointer: described(z.string(), {
      description:
        "JSON Pointer (RFC 6901) into the body, or under `/query`, `/path` and `/headers`.",
    }),
    detail: described(z.string(), { description: "What is wrong there." }),
  }),
  { id: "InvalidPart", description: "One thing that is wrong with a request." },
);

/** The body of every error, as `application/problem+json` (RFC 9457). */
export const Problem = described(
  z.looseObject({
    type: described(z.string(), { description: "Where the code is explained." }),
    title: described(z.string(), { description: "What the code means, for people." }),
    status: described(z.int().check(z.gte(400), z.lte(599)), { description: "The HTTP status." }),
    code: described(z.enum(problemCodes as [ProblemCode, ...ProblemCode[]]), {
      description: "What went wrong, for programs. /docs/problems explains each.",
    }),
    detail: described(z.string(), {
      description: "What happened here and what to do next.",
    }),
    instance: described(z.string(), { description: "The request id." }),
    retry: described(z.enum(["never", "same", "refresh", "later"]), {
      description:
        "What helps: `never` (change the request), `same` (send the very same request again), `refresh` (fetch newer state first), `later` (the same request, after `retryAfter`).",
    }),
    retryAfter: described(z.optional(z.int().check(z.gte(1), z.lte(86_400))), {
      description: "Seconds to wait before the same request is sent again, as in `Retry-After`.",
    }),
    reason: described(z.optional(z.enum(CURSOR_REASONS)), {
      description: "With `invalid-cursor`: why the cursor is refused.",
    }),
    seek: described(z.optional(z.enum(["bootstrap", "earliest"])), {
      description: "With `retention-passed` and `bootstrap-expired`: where to seek to go on.",
    }),
    earliestSequence: described(z.optional(z.int().check(z.gte(1))), {
      description:
        "With `retention-passed`: the first sequence that is kept in the partition of the position.",
    }),
    errors: described(z.optional(z.array(InvalidPart)), {
      description: "Everything that is wrong with the request, each at its place.",
    }),
  }),
  {
    id: "Problem",
    description:
      "An error, as application/problem+json (RFC 9457). Some codes have further members, such as the cap that was passed.",
  },
);
export type Problem = z.infer<typeof Problem>;
