import * as z from "zod/mini";
import { described, Name } from "./text.ts";

/** The body that an operator sends after a restore of the table. */
export const RestoredBody = described(
  z.strictObject({
    name: described(z.optional(Name), {
      description:
        "What to call this restore. Needed only where the restored table has the name that it had before: all streams that do not know the name go through it.",
    }),
  }),
  {
    id: "RestoredBody",
    description: "What an operator says after a restore of the table.",
    examples: [{}],
  },
);
export type RestoredBody = z.infer<typeof RestoredBody>;
