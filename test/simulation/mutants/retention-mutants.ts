import { DAY_MS, HOUR_MS, type Plan } from "../world/plan.ts";
import type { Mutant } from "./mutants.ts";

/**
 * A plan in which the retention changes all the time. Between two phases, rows expire that were
 * written with a shorter retention.
 */
const CHANGED: Partial<Plan> = {
  patches: 3,
  patchHours: [1, 8_760],
  retentionHours: 1,
  phases: 3,
  publishers: 3,
  requests: 6,
  leapsMs: [33 * DAY_MS, 40 * DAY_MS],
  sweepers: 1,
  followers: 2,
  bootstrappers: 0,
  browsers: 2,
  deletes: 0,
  kills: 0,
  freezes: 0,
  skewMs: 0,
  restores: 0,
  conditioners: 0,
  keyed: 0,
};

/** Several sweepers move the floor, and copies of their requests arrive late. */
const LATE_FLOORS: Partial<Plan> = {
  ...CHANGED,
  patches: 0,
  sweepers: 3,
  apis: 3,
  browsers: 0,
  followers: 0,
  reaper: true,
  requests: 10,
  leapsMs: [2 * HOUR_MS, 2 * HOUR_MS, DAY_MS],
  writeFaults: { "timeout-late": 0.3, twice: 0.2 },
};

const story: Pick<Mutant, "by"> = { by: "retention" };

/** The rules of a change of the retention and of the floor, each with a mutant. */
export const ofRetention: readonly Mutant[] = [
  {
    rule: "the floor follows what batches were promised when they were written",
    file: "compaction/floor.ts",
    from: "planFloor(checkpoint, Math.max(edge, promised.next), nowMs);",
    to: "planFloor(checkpoint, promised.next < 0 ? 0 : edge, nowMs);",
    plan: CHANGED,
  },
  {
    rule: "the search for the floor is spared only where the oldest batch is kept by both retentions",
    file: "compaction/floor.ts",
    from: "batch.publishedAt >= keptSince && isPromised(batch, nowMs);",
    to: "batch.publishedAt >= keptSince;",
    ...story,
  },
  {
    rule: "a shorter retention holds for all events at once",
    file: "compaction/floor.ts",
    from: "planFloor(checkpoint, Math.max(edge, promised.next), nowMs);",
    to: "planFloor(checkpoint, Math.max(edge - edge, promised.next), nowMs);",
    ...story,
  },
  {
    rule: "the floor moves though compaction does meanwhile",
    file: "table/checkpoint.entity.ts",
    from: `\`\${gte(row.next, next)} AND \${lte(row.floor, to.floor)} AND \${held}\``,
    to: `\`\${gte(row.next, next)} AND \${lte(row.next, next)} AND \${lte(row.floor, to.floor)} AND \${held}\``,
    ...story,
  },
  {
    rule: "compaction brings the floor up where no sweep does",
    file: "compaction/compact.ts",
    from: "checkpoint.floorAt <= FLOOR_AGE_MAX_MS) return;",
    to: "checkpoint.floorAt >= -FLOOR_AGE_MAX_MS) return;",
    ...story,
  },
  {
    rule: "what was written into the past does not move the end",
    file: "log/end.ts",
    from: "isBelow(last, checkpoint.next) ? checkpoint.next : endAfter(last)",
    to: "Math.max(endAfter(last), checkpoint.next)",
    ...story,
  },
  {
    rule: "the floor never falls",
    file: "table/checkpoint.entity.ts",
    from: `\`\${gte(row.next, next)} AND \${lte(row.floor, to.floor)} AND \${held}\``,
    to: `\`\${gte(row.next, next)} AND \${lte(row.next, to.floor + 1e15)} AND \${held}\``,
    plan: LATE_FLOORS,
  },
];
