import type { Mutation } from "../mutations.ts";

/** The rules of a difference, each with the source that lacks it. */
export const differenceMutations: readonly Mutation[] = [
  {
    rule: "a change counts if it is the last one of its key",
    file: "snapshot/difference-plan.ts",
    from: "row.sequence === sequence",
    to: "row.sequence >= sequence",
  },
  {
    rule: "deletions live in the list",
    file: "model/change.ts",
    from: 'if (event.data !== "null" || event.erased === true) return',
    to: "if (sequence > 0) return",
  },
  {
    rule: "the list reaches to the snapshot",
    file: "snapshot/difference.ts",
    from: "{ until, mayGoOn })",
    to: "{ until: 1, mayGoOn })",
  },
  {
    rule: "a difference begins at its cursor",
    file: "snapshot/difference.ts",
    from: "at = Math.max(at, since[partition]?.next ?? 1);",
    to: "at = Math.max(at, 1);",
  },
  {
    rule: "the state is exact from the checkpoints at the end",
    file: "snapshot/difference.ts",
    from: "bootstrap: planScanEnd(scanned, checkpoints)",
    to: "bootstrap: planScanEnd(scanned, checkpoints.slice(0, 0))",
  },
  {
    rule: "a list that was updated is read again",
    file: "snapshot/difference.ts",
    from: "const TRIES = 3;",
    to: "const TRIES = 1;",
  },
  {
    rule: "only the loser's own rows are removed",
    file: "compaction/list-changes.ts",
    from: "const gone = own.filter((id) => !kept.has(id));",
    to: "const gone = isSaved ? own.filter((id) => !kept.has(id)) : [...begun.chunks.map(({ id }) => id), ...put];",
  },
  {
    rule: "a later change leaves an earlier one out",
    file: "compaction/list-changes.ts",
    from: "for (const { key } of unpackChanges(row)) latest.delete(key);",
    to: "for (const { key } of unpackChanges(row)) latest.has(key);",
  },
];
