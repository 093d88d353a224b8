import * as z from "zod/mini";
import { described } from "../text.ts";

/** The progress of a restore. */
export const RestoreReceipt = described(
  z.object({
    streams: described(z.int().check(z.gte(0)), {
      description: "The number of streams, of all tenants, that this call completed.",
    }),
    done: described(z.boolean(), { description: "False when more remain. Then call again." }),
  }),
  { id: "RestoreReceipt", description: "The progress of a restore." },
);
export type RestoreReceipt = z.infer<typeof RestoreReceipt>;
