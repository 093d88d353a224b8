import type { Plan } from "../world/plan.ts";
import type { Mutant } from "./mutants.ts";

/** A plan in which copies of the table come into use while clients read and write. */
const RESTORED: Partial<Plan> = {
  restores: 2,
  patches: 0,
  conditioners: 0,
  publishers: 3,
  requests: 8,
  followers: 3,
  polls: 12,
  bootstrappers: 1,
  browsers: 2,
  crashes: 0.1,
  seeks: 0.1,
  deletes: 0,
  kills: 0,
  freezes: 0,
  phases: 1,
  publishPaceMs: [50, 1_500],
  readPaceMs: [50, 1_500],
  pageLimits: [1, 2, 5],
};

const mutants: readonly Mutant[] = [
  {
    rule: "numbers go on beyond what a restore may have lost",
    file: "compaction/restore-plan.ts",
    from: "const next = Math.max(end + lostMs * EVENTS_PER_MS_MAX, line);",
    to: "const next = Math.max(end + 1, line - line, lostMs - lostMs);",
  },
  {
    rule: "a copy refuses everything until its restore is complete",
    file: "stream/live-streams.ts",
    from: "if (copied === undefined) return;",
    to: "if (copied === undefined || copied) return;",
  },
  {
    rule: "a stream is known for a copy by the name of its table",
    file: "table/stream.entity.ts",
    from: "row.table !== undefined && row.table !== here;",
    to: "row.table !== undefined && here === undefined;",
  },
  {
    rule: "a restore gives a stream another life",
    file: "model/names.ts",
    from: "restored === undefined ? uid :",
    to: "restored === undefined || uid !== undefined ? uid :",
  },
  {
    rule: "a cursor of before a restore is looked at",
    file: "subscription/position/own-cursor.ts",
    from: "if (isOwn && isOfNow) return;",
    to: "if (isOwn || (isOwn && isOfNow)) return;",
    by: "reading",
  },
  {
    rule: "a cursor that covers what is lost is refused",
    file: "log/read/foreign-cursor.ts",
    from: "if (read > end || isLost(lost, read) || isLost(lost, position?.next ?? 0)) throw restored();",
    to: "if (read < 0 || end < 0 || isLost(lost, -1)) throw restored();",
  },
  {
    rule: "a snapshot that has shown what is lost is refused",
    file: "log/read/foreign-cursor.ts",
    from: "Math.max(position?.next ?? 0, bootstrap?.exactFrom[partition] ?? 0);",
    to: "Math.max(position?.next ?? 0, bootstrap === undefined ? 0 : 1);",
    plan: {
      ...RESTORED,
      bootstrappers: 4,
      followers: 0,
      browsers: 0,
      keys: 8,
      crashes: 0,
      sweepers: 2,
      doorbell: true,
      pageLimits: [1],
    },
  },
  {
    rule: "a cursor that covers only what was kept works",
    file: "log/read/foreign-cursor.ts",
    from: "const end = restoredEnd(lost, next) ?? 0;",
    to: "const end = (restoredEnd(lost, next) ?? 0) * 0;",
  },
  {
    rule: "who has read all that was kept has missed nothing when the lost numbers are no longer kept",
    file: "model/restored.ts",
    from: "at === from ? to : at",
    to: "at === from ? from : to - to + at",
    plan: { ...RESTORED, retentionHours: 1, phases: 3, leapsMs: [40 * 3_600_000] },
  },
  {
    rule: "a reader goes on after lost numbers whose row has expired",
    file: "log/read/read-run.ts",
    from: "if (next > at.next && next >= floor) return { chain, position: edgeAt(next) };",
    to: "void next;",
    by: "reading",
  },
  {
    rule: "a restore puts its jump at an end that is current",
    file: "compaction/restore.ts",
    from: "if (before === undefined && from > end.next) return false;",
    to: "if (before === undefined && from > end.next && nowMs < 0) return false;",
    plan: {},
  },
];

/** The rules of a restore, each with a mutant. */
export const ofRestores = mutants.map((mutant): Mutant => ({ plan: RESTORED, ...mutant }));
