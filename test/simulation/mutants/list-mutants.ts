import { differenceMutations } from "../models/difference/difference-mutations.ts";
import type { Mutant } from "./mutants.ts";
import { GROWTH, LISTS } from "./situations.ts";

/** The world's streams are too small for a list that is compared in levels. */
const OF_LONG_LISTS: readonly string[] = [
  "a list that was updated is read again",
  "only the loser's own rows are removed",
  "a later change leaves an earlier one out",
];

/** The rules of lists of current states, and of changes (decisions 0082 and 0084). */
export const ofLists: readonly Mutant[] = [
  ...differenceMutations
    .filter(({ rule }) => !OF_LONG_LISTS.includes(rule))
    .map((mutation) => ({ ...mutation, plan: LISTS })),
  {
    rule: "later epochs tell which deletions are not the last change of their key",
    file: "snapshot/difference.ts",
    from: "window.changes.filter(({ key }) => !replaced.has(key));",
    to: "window.changes.filter(({ key }) => !replaced.has(key) || key !== undefined);",
    plan: { ...LISTS, ...GROWTH, tombstones: 0.5, keys: 2, listers: 3 },
  },
  {
    rule: "changes are listed before the floor moves over them",
    file: "compaction/list-often.ts",
    from: "if (known !== undefined && known.to >= floor) return floor;",
    to: "if (known !== undefined || floor > 0) return floor;",
    plan: { ...LISTS, retentionHours: 1, phases: 3, skewMs: 0, leapsMs: [40 * 3_600_000] },
  },
  {
    rule: "the parts of a list have all of it",
    file: "snapshot/scan-plan.ts",
    from: "part === 0 ? bootstrap.scan : formatScan(firstOf(part))",
    to: "part === 0 ? bootstrap.scan : formatScan(firstOf(part) + 1)",
    plan: LISTS,
  },
  {
    rule: "a divided list goes on at its own place",
    file: "snapshot/scan-plan.ts",
    from: "const left = (bootstrap.until ?? COMPACTED_BUCKETS) - scan.bucket;",
    to: "const left = COMPACTED_BUCKETS - scan.bucket;",
    plan: { ...LISTS, divides: 0.6 },
  },
  {
    rule: "a difference goes on in the log where its snapshot ends",
    file: "model/snapshot-progress.ts",
    from: "next: Math.max(batch, difference?.since[partition]?.next ?? 0),",
    to: "next: difference?.since[partition]?.next ?? batch,",
    plan: LISTS,
  },
];
