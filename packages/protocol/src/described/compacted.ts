import * as z from "zod/mini";
import { Cursor, described } from "../text.ts";
import { LedgerEvent } from "./event.ts";
import { Life } from "./life.ts";
import { WatermarkLag } from "./stream.ts";

/** The last event of every key, as far as compaction has read. Deleted keys are absent. */
export const CompactedList = described(
  z.object({
    items: described(z.array(LedgerEvent), { description: "The last event of each key." }),
    cursor: described(z.nullable(Cursor), {
      description: "Where the list goes on; null at its end. A page may be empty before that.",
    }),
    follow: described(Cursor, {
      description:
        "Reads exactly what came after the list: `from` of GET .../events, `after` of a poll, `to.cursor` of a seek. The same on every page; use that of the last one.",
    }),
    life: Life,
  }),
  { id: "CompactedList", description: "A page of current states. Deleted keys are absent." },
);
export type CompactedList = z.infer<typeof CompactedList>;

/** The result of a compaction on demand. */
export const CompactReceipt = described(
  z.object({
    compactedEvents: described(z.int().check(z.gte(0)), {
      description: "Events this call has compacted.",
    }),
    keys: described(z.int().check(z.gte(0)), {
      description: "Current states it has put, one per key and run.",
    }),
    watermarkLag: WatermarkLag,
    done: described(z.boolean(), { description: "False when more remains: call again." }),
  }),
  { id: "CompactReceipt", description: "What a compaction on demand has done." },
);
export type CompactReceipt = z.infer<typeof CompactReceipt>;

/** The result of a repair of the numbering. */
export const RepairReceipt = described(
  z.object({
    repaired: described(z.int().check(z.gte(0)), {
      description: "Parts of the stream whose numbering was moved forward; 0 when all was well.",
    }),
  }),
  { id: "RepairReceipt", description: "What a repair of the numbering has done." },
);

export const ConditionHeaders = z.object({
  "If-None-Match": described(z.optional(z.string()), {
    description: "An ETag of an earlier answer: while the state is that one, the answer is 304.",
    examples: ['"42"'],
  }),
});
