import * as z from "zod";
import { Cursor } from "../text.ts";
import { LedgerEvent } from "./event.ts";
import { WatermarkLag } from "./stream.ts";

/** The last event of every key, as far as compaction has come; deleted keys are absent. */
export const CompactedList = z
  .object({
    items: z.array(LedgerEvent),
    cursor: Cursor.nullable().meta({
      description: "Where the list goes on; null at its end. A page may be empty before that.",
    }),
    follow: Cursor.meta({
      description:
        "Reads exactly what came after the list: `from` of GET .../events, `after` of a poll, `to.cursor` of a seek. The same on every page; use that of the last one.",
    }),
  })
  .meta({ id: "CompactedList" });
export type CompactedList = z.infer<typeof CompactedList>;

/** What a compaction on demand has done. */
export const CompactReceipt = z
  .object({
    compactedEvents: z.int().min(0).meta({ description: "Events this call has compacted." }),
    keys: z.int().min(0).meta({ description: "Current states it has put, one per key and run." }),
    watermarkLag: WatermarkLag,
    done: z.boolean().meta({ description: "False when more remains: call again." }),
  })
  .meta({ id: "CompactReceipt" });
export type CompactReceipt = z.infer<typeof CompactReceipt>;

/** What a repair of the numbering has done. */
export const RepairReceipt = z
  .object({
    repaired: z.int().min(0).meta({
      description: "Parts of the stream whose numbering was moved forward; 0 when all was well.",
    }),
  })
  .meta({ id: "RepairReceipt" });
