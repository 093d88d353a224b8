import * as z from "zod/mini";
import { CURSOR_REASONS, type ProblemCode, problemCodes } from "../problem.ts";
import { Cursor, described } from "../text.ts";

const InvalidPart = described(
  z.object({
    pointer: described(z.string(), {
      description:
        "A JSON Pointer (RFC 6901) into the body, or one that begins with `/query`, `/path` or `/headers`.",
    }),
    detail: described(z.string(), { description: "What is wrong at that place." }),
  }),
  { id: "InvalidPart", description: "One invalid part of a request." },
);

/** The body of every error, as `application/problem+json` (RFC 9457). */
export const Problem = described(
  z.looseObject({
    type: described(z.string(), { description: "The URL that explains the code." }),
    title: described(z.string(), {
      description: "A short text for people that explains the code.",
    }),
    status: described(z.int().check(z.gte(400), z.lte(599)), { description: "The HTTP status." }),
    code: described(z.enum(problemCodes as [ProblemCode, ...ProblemCode[]]), {
      description: "The code of the problem, for programs. /docs/problems explains each code.",
    }),
    detail: described(z.string(), {
      description: "What happened and what to do next.",
    }),
    instance: described(z.string(), { description: "The request id." }),
    retry: described(z.enum(["never", "same", "refresh", "later"]), {
      description:
        "Whether to retry: `never` (change the request), `same` (send exactly the same request again), `refresh` (fetch newer state first), `later` (the same request, after `retryAfter`).",
    }),
    retryAfter: described(z.optional(z.int().check(z.gte(1), z.lte(86_400))), {
      description:
        "The number of seconds to wait before the same request is sent again, as in `Retry-After`.",
    }),
    reason: described(z.optional(z.enum(CURSOR_REASONS)), {
      description: "With `invalid-cursor`: why the cursor is refused.",
    }),
    seek: described(z.optional(z.enum(["bootstrap", "earliest"])), {
      description:
        "With `retention-passed`, `bootstrap-expired` and `changes-passed`: the place to seek to in order to continue.",
    }),
    since: described(z.optional(Cursor), {
      description:
        "With `retention-passed`: a cursor of the position. A seek to `{ since }` it delivers the states that changed since. Absent if the changes are not known any more.",
    }),
    earliestSequence: described(z.optional(z.int().check(z.gte(1))), {
      description:
        "With `retention-passed`: the first sequence that is kept in the partition of the position.",
    }),
    errors: described(z.optional(z.array(InvalidPart)), {
      description: "Every invalid part of the request, each with its place.",
    }),
  }),
  {
    id: "Problem",
    description:
      "An error, as application/problem+json (RFC 9457). Some codes have further members, such as the cap that was exceeded.",
  },
);
export type Problem = z.infer<typeof Problem>;
