import * as z from "zod/mini";
import { described } from "../text.ts";

/** The progress of a restore. */
export const RestoreReceipt = described(
  z.object({
    streams: described(z.int().check(z.gte(0)), {
      description: "Streams of all tenants that this call has completed.",
    }),
    done: described(z.boolean(), { description: "False when more remain: call again." }),
  }),
  { id: "RestoreReceipt", description: "How far a restore is complete." },
);
export type RestoreReceipt = z.infer<typeof RestoreReceipt>;
