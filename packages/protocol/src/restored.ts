import * as z from "zod/mini";
import { described, Name } from "./text.ts";

/** The body that an operator sends after a restore of the table. */
export const RestoredBody = described(
  z.strictObject({
    name: described(z.optional(Name), {
      description:
        "A name for this restore. Needed only if the restored table has its former name. Every stream that has not been through a restore of this name is then completed.",
    }),
  }),
  {
    id: "RestoredBody",
    description: "The request that completes a restore of the table.",
    examples: [{}],
  },
);
export type RestoredBody = z.infer<typeof RestoredBody>;
