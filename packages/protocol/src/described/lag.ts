import * as z from "zod/mini";
import { described } from "../text.ts";

export const Lag = described(
  z.object({
    events: described(z.int().check(z.gte(0)), {
      description: "The number of events between the position and the end.",
    }),
    seconds: described(z.number().check(z.gte(0)), {
      description: "The age of the oldest of these events; 0 if there are none.",
    }),
  }),
  { id: "Lag", description: "How far a position is from the end of the stream." },
);
export type Lag = z.infer<typeof Lag>;
