import * as z from "zod/mini";
import { described } from "../text.ts";

export const Life = described(z.string(), {
  id: "Life",
  description:
    "Names the life of the stream: another one when the name is created again, and after a restore of the table. Opaque. Sequences compare within one life only.",
});
