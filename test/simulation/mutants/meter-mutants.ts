import type { Mutant } from "./mutants.ts";
import { METERS } from "./situations.ts";

/** The rules of usage (decisions 0066 and 0087) and of quotas (decision 0067). */
export const ofMeters: readonly Mutant[] = [
  {
    rule: "a move of the checkpoint counts from where it was",
    file: "compaction/usage.ts",
    from: "if (safePoint.to > after) {",
    to: "if (safePoint.to > 0) {",
    plan: METERS,
  },
  {
    rule: "the write that moves the checkpoint counts",
    file: "compaction/compact-section.ts",
    from: "const move = { ...to, usage: hours,",
    to: "const move = { ...to, ...(end.checkpoint.usage && { usage: hours }),",
    plan: METERS,
  },
  {
    rule: "the rest of an ended life is counted before it is removed",
    file: "compaction/usage.ts",
    from: "const hours = countHours(checkpoint.usage ?? [], section, whole);",
    to: "const hours = checkpoint.usage ?? [];",
    plan: { ...METERS, sweepers: 0, doorbell: false, deletes: 1 },
  },
  {
    rule: "a repair that passes rows makes the size unknown",
    file: "compaction/repair.ts",
    from: "...(isUncounted ? { recount: NOT_COUNTED } : {}),",
    to: "",
    plan: { teams: 0, holders: 0 },
  },
  {
    rule: "a row keeps the versions of both runs that put it",
    file: "table/compacted-versions.ts",
    from: "const between = former.filter(([sequence]) => sequence >= next);",
    to: "const between: Version[] = [];",
    plan: { ...METERS, kills: 6, doorbell: true },
  },
  {
    rule: "a row copies the size of what it replaces only if the checkpoint has passed that",
    file: "table/compacted-writes.ts",
    from: "OR #s < :next",
    to: "OR #s < :s",
    plan: { ...METERS, kills: 6, doorbell: true },
  },
  {
    rule: "a checkpoint stops only where the sizes of its keys are known",
    file: "compaction/section.ts",
    from: "isStop === true && keys <= rowsPut",
    to: "keys <= rowsPut",
    by: "sizes",
  },
  {
    rule: "tokens that a process takes are gone from the bucket",
    file: "model/quota.ts",
    from: "[available - taken, Math.max(at, nowMs)]",
    to: "[available - amount, Math.max(at, nowMs)]",
    plan: METERS,
  },
  {
    rule: "tokens are taken from the present state of the bucket",
    file: "table/quota.entity.ts",
    from: "eq(row.version, version)",
    to: "eq(row.version, version).slice(0, 0)",
    plan: METERS,
  },
  {
    rule: "requests for data pass while the table does not answer",
    file: "quota/limiter.ts",
    from: "if (mustKnow) throw unreachable(error);",
    to: "throw unreachable(error);",
    plan: { ...METERS, readFaults: { "timeout-before": 0.3 } },
  },
  {
    rule: "administration does not pass while the table does not answer",
    file: "quota/limiter.ts",
    from: "      if (mustKnow) throw unreachable(error);\n",
    to: "",
    plan: { ...METERS, readFaults: { "timeout-before": 0.3 } },
  },
];
