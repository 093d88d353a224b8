import type { Mutant } from "./mutants.ts";
import { CLAIMS, GROWTH, RESTORED_GROWTH } from "./situations.ts";

/** The rules of a change of partitions (decision 0065). */
export const ofGrowth: readonly Mutant[] = [
  {
    rule: "an epoch starts above all ends of the one before it",
    file: "log/growth.ts",
    from: "from: Math.max(old.from, ...ends) + 1,",
    to: "from: Math.max(1, Math.min(...ends) - 1),",
    plan: GROWTH,
  },
  {
    rule: "a reader enters an epoch once it has read the one before it",
    file: "log/read/read.ts",
    from: "  for (const epoch of epochsOf(stream)) {",
    to: "  for (const epoch of epochsOf(stream).toReversed()) {",
    plan: GROWTH,
  },
  {
    rule: "a reader that meets a turn reads the stream's row again",
    file: "log/read/read.ts",
    from: "      if (page.entries.length === 0) throw new TurnReached();\n      runs[partition] = notRead(position);",
    to: "      runs[partition] = drainedAt(position);",
    plan: GROWTH,
  },
  {
    rule: "a claim is searched in the partitions of earlier epochs",
    file: "log/append/claims.ts",
    from: "const settled = await searchEarlier(life, request, claimed, { view, partition });",
    to: "const settled = undefined as ReceiptRow | undefined;",
    plan: { ...CLAIMS, ...GROWTH, keyed: 1, patienceMs: 900 },
  },
  {
    rule: "workers share the partitions of one epoch",
    file: "subscription/workers/leases.ts",
    from: "  return offsets.slice(first, first + partitions);",
    to: "  return first + partitions > 0 ? offsets : [];",
    plan: { ...GROWTH, teams: 1, workers: 3, failing: 0.1 },
  },
  {
    rule: "parked keys are carried to the next epoch",
    file: "subscription/poll/poll.ts",
    from: "if (isInLog && (await deliveries.carry(stream, view))) return AGAIN;",
    to: "",
    plan: { ...GROWTH, teams: 1, workers: 3, failing: 0.3 },
  },
  {
    rule: "where compaction has entered an epoch, the compacted state has the last events",
    file: "log/append/last-events.ts",
    from: "if (last !== undefined || isEntered(tail.begun, epoch.from)) break;",
    to: "if (last !== undefined) break;",
    plan: { ...GROWTH, conditioners: 3, keys: 2 },
  },
  {
    rule: "a publisher that meets a turn has written nothing",
    file: "log/append/append-plan.ts",
    from: 'kinds.includes("turn") ? "turned" : "lost"',
    to: 'kinds.includes("turn") ? "landed" : "lost"',
    plan: GROWTH,
  },
  {
    rule: "compaction enters an epoch once it has ended the one before it",
    file: "compaction/compact.ts",
    from: "if (checkpoint !== undefined && checkpoint.next >= end) continue;",
    to: "if (checkpoint !== undefined && end >= 0) continue;",
    by: "growth",
  },
  {
    rule: "a snapshot reads the checkpoints of later epochs first",
    file: "snapshot/bootstrap.ts",
    from: "for (const epoch of epochsOf(stream).toReversed()) {",
    to: "for (const epoch of epochsOf(stream)) {",
    by: "growth",
  },
  {
    rule: "a cursor from before a restore and before an epoch is valid in it",
    file: "log/read/foreign-cursor.ts",
    from: "if (read === 0 || read === startOfChain(stream, partition)) return;",
    to: "if (read === 0 && startOfChain(stream, partition) > 0) return;",
    plan: RESTORED_GROWTH,
  },
  {
    rule: "a cursor of an epoch that a restore has lost is refused in the next one",
    file: "log/read/foreign-cursor.ts",
    from: "const end = restoredEnd(lost, next) ?? 0;",
    to: "const end = restoredEnd(lost, next) ?? read;",
    plan: RESTORED_GROWTH,
  },
  {
    rule: "an epoch that a restore completes has no number of a lost one",
    file: "log/growth.ts",
    from: "from: 0, to: from",
    to: "from: next.from, to: from",
    by: "growth",
  },
  {
    rule: "lost numbers do not bring compaction into an epoch",
    file: "model/restored.ts",
    from: "): boolean => next > lostUntil(lost, start);",
    to: "): boolean => next > start || lostUntil(lost, start) < start;",
    by: "growth",
  },
];
