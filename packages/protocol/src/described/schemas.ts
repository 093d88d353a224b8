import * as z from "zod/mini";
import { PutSchemas } from "../schemas.ts";
import { described } from "../text.ts";

export const Schemas = described(z.object(PutSchemas.shape), {
  id: "Schemas",
  description: "The schemas of a stream's events.",
});
