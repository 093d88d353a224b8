import * as z from "zod/mini";
import { described, ListCursor } from "./text.ts";

export const VerifyArchiveQuery = z.strictObject({
  cursor: described(z.optional(ListCursor), {
    description: "Where the check continues: the `cursor` of the previous answer.",
  }),
});
