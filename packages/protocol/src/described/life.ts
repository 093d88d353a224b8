import * as z from "zod/mini";
import { described } from "../text.ts";

export const Life = described(z.string(), {
  id: "Life",
  description:
    "The opaque name of the life of the stream. It changes when the stream's name is created again, and after a restore of the table. Sequences can be compared only within one life.",
});
