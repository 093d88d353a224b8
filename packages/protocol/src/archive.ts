import * as z from "zod/mini";
import { described, ListCursor } from "./text.ts";

export const VerifyArchiveQuery = z.strictObject({
  cursor: described(z.optional(ListCursor), {
    description: "The `cursor` of the answer before, to continue there.",
  }),
});
