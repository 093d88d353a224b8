import * as z from "zod/mini";
import { described } from "../text.ts";

export const Lag = described(
  z.object({
    events: described(z.int().check(z.gte(0)), {
      description: "Events between the position and the end.",
    }),
    seconds: described(z.number().check(z.gte(0)), {
      description: "Age of the oldest of them; 0 when none.",
    }),
  }),
  { id: "Lag", description: "How far a position is from the end of the stream." },
);
export type Lag = z.infer<typeof Lag>;
