import * as z from "zod/mini";
import { described } from "../text.ts";

export const Health = described(z.object({ status: z.literal("ok") }), { id: "Health" });
