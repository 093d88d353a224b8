import type { Survivor } from "./judge.ts";

const of = (file: string, reasons: Readonly<Record<string, string>>): Survivor[] =>
  Object.entries(reasons).map(([name, why]) => ({ file, name, why }));

const ONE_MORE = "one place more than there are holds no rows, and removing none changes nothing";
const FROM_THE_START = "what a page listed is gone by then, so the list begins with what is left";

/** The changes that no test notices, each with the reason why no test needs to. */
export const SURVIVORS: readonly Survivor[] = [
  ...of("packages/core/src/access/key-memory.ts", {
    "always: known.get(id) === asked":
      "a read that fails then also forgets a newer one, which costs one more read",
  }),
  ...of("packages/core/src/kernel/clock.ts", {
    "drop: work.catch(() => {});": "Promise.race handles a late rejection of the work as well",
  }),
  ...of("packages/core/src/subscription/workers/lease-plan.ts", {
    "never: free.length === 0":
      "without free rows, the place is NaN, and slices of nothing are empty",
  }),
  ...of("packages/core/src/compaction/removal.ts", {
    "never: sightings === undefined": "the ledger passes its sightings to every sweep",
    "edge: uncounted < least":
      "a note at exactly 500 rows or at the next page, of a count that operators look at",
    "edge: partition < job.partitions": ONE_MORE,
    "edge: partition < partitions": ONE_MORE,
    "edge: bucket < COMPACTED_BUCKETS": ONE_MORE,
    "drop: after = page.next ?? undefined;": FROM_THE_START,
    "none: page.next": FROM_THE_START,
  }),
];
