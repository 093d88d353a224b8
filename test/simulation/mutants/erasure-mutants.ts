import type { Mutant } from "./mutants.ts";
import { ERASURES } from "./situations.ts";

/** The rules of erasures (decision 0079). */
export const ofErasures: readonly Mutant[] = [
  {
    rule: "an erasure takes the data of its own key only",
    file: "erasure/erase-rows.ts",
    from: "event.key === key && event.sequence < until;",
    to: "event.key.length === key.length && event.sequence < until;",
    plan: ERASURES,
  },
  {
    rule: "an erasure takes what comes before its tombstone only",
    file: "erasure/run-erasure.ts",
    from: "until: sequence }));",
    to: "until: sequence + 9 }));",
    plan: ERASURES,
  },
  {
    rule: "two erasures of one batch do not undo each other",
    file: "table/batch.entity.ts",
    from: "eq(row.payload, payload))",
    to: "eq(row.payload, payload).slice(0, 0))",
    plan: { ...ERASURES, erasures: 6, keys: 2, burst: 6 },
  },
  {
    rule: "the tombstone of an erasure is appended once",
    file: "erasure/run-erasure.ts",
    from: "publish(stream, [event], idempotencyKey)",
    to: "publish(stream, [event])",
    plan: { ...ERASURES, writeFaults: { "timeout-after": 0.2 } },
  },
  {
    rule: "a batch that another erasure has rewritten is read again",
    file: "erasure/erase-rows.ts",
    from: "if (await table.batches.replaceEvents(life, partition, batch, erased)) return;",
    to: "await table.batches.replaceEvents(life, partition, batch, erased);\n    return;",
    plan: { ...ERASURES, erasures: 6, keys: 2, burst: 6 },
  },
  {
    rule: "a reader whose object was replaced asks for the present one",
    file: "log/cold/cold-read.ts",
    from: 'if (again === undefined || again.object === segment.object) return stopAt("missing");',
    to: 'if (again?.object !== "") return stopAt("missing");',
    plan: { ...ERASURES, archived: true, phases: 3, browsers: 2 },
  },
  {
    rule: "objects of the archive that no row names are removed",
    file: "erasure/erase-copies.ts",
    from: "if (!isNamed) found.push(name);",
    to: 'if (!isNamed && name === "") found.push(name);',
    plan: { ...ERASURES, archived: true, kills: 6, bucketFaults: 0.5 },
  },
];
