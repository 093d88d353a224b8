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
      description:
        "The place where the list continues; null at its end. A page before the end may be empty.",
    }),
    parts: described(z.optional(z.array(Cursor)), {
      description:
        "With the query `parts` only: the cursors of the parts into which the rest of the list is divided; none at its end. Read each part until its `cursor` is null, in any order and at the same time.",
    }),
    follow: described(Cursor, {
      description:
        "The cursor for reading exactly the events that came after the list: `from` of GET .../events, `after` of a poll, `to.cursor` of a seek. Use the one of the last page. Parts of a list have the same one: use it once all of them are read.",
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
      description: "The number of events that this call compacted.",
    }),
    keys: described(z.int().check(z.gte(0)), {
      description: "The number of current states that this call wrote: one per key and run.",
    }),
    watermarkLag: WatermarkLag,
    done: described(z.boolean(), { description: "False when more remains. Then call again." }),
  }),
  { id: "CompactReceipt", description: "The result of a compaction on demand." },
);
export type CompactReceipt = z.infer<typeof CompactReceipt>;

/** The result of a repair of the numbering. */
export const RepairReceipt = described(
  z.object({
    repaired: described(z.int().check(z.gte(0)), {
      description:
        "The number of partitions whose numbering was moved forward; 0 if none needed a repair.",
    }),
    done: described(z.boolean(), { description: "False when more remains. Then call again." }),
  }),
  { id: "RepairReceipt", description: "The result of a repair of the numbering." },
);

export const ConditionHeaders = z.object({
  "If-None-Match": described(z.optional(z.string()), {
    description:
      "The ETag of an earlier answer. If the state has not changed since, the answer is 304.",
    examples: ['"42"'],
  }),
});
