/** A rule of compaction or bootstrap, and the source without it. */
export type Mutation = {
  readonly rule: string;
  /** The path below packages/core/src. */
  readonly file: string;
  /** The original text. It must occur exactly once. */
  readonly from: string;
  readonly to: string;
};

/** Every rule that ARCHITECTURE.md calls necessary here. Each is removed separately. */
export const mutations: readonly Mutation[] = [
  {
    rule: "skip items above C",
    file: "snapshot/scan-plan.ts",
    from: "    sequence < (bootstrap.starts[partition] ?? 1) &&\n",
    to: "",
  },
  {
    rule: "tombstones count as seen",
    file: "snapshot/scan-plan.ts",
    from: "    exactFrom[partition] = Math.max(",
    to: "    if (row.deleted !== true) exactFrom[partition] = Math.max(",
  },
  {
    rule: "strong page reads",
    file: "table/compacted-wire.ts",
    from: "ConsistentRead: true",
    to: "ConsistentRead: false",
  },
  {
    rule: "put only if newer",
    file: "table/compacted-writes.ts",
    from: "OR #s < :next",
    to: "OR #s < :next OR #s >= :next",
  },
  {
    rule: "items before checkpoint",
    file: "compaction/compact-section.ts",
    from: "  const rows = planRows(section, { partition, nowMs: clock.now() });\n",
    to: "  const rows = planRows(section, { partition, nowMs: clock.now() });\n  const early = planMove(end.checkpoint, section, seen);\n  if (!(await table.checkpoints.move(life, partition, from, early))) return undefined;\n",
  },
  {
    rule: "the checkpoint moves on the way",
    file: "compaction/put-rows.ts",
    from: "const MOVE_EVERY_MS = 100;",
    to: "const MOVE_EVERY_MS = Infinity;",
  },
  {
    rule: "on the way only over events whose rows are put",
    file: "compaction/section.ts",
    from: "isStop === true && keys <= rowsPut",
    to: "isStop === true && keys <= rowsPut + 1",
  },
  {
    rule: "conditional checkpoint move",
    file: "table/checkpoint.entity.ts",
    from: `eq(row.next, from)} AND \${lte(row.checkedAt, latest)`,
    to: "lte(row.floor, 1e14)",
  },
  {
    rule: "tombstones are kept",
    file: "compaction/compaction-plan.ts",
    from: "export const TOMBSTONE_KEEP_MS = 7 * DAY_MS;",
    to: "export const TOMBSTONE_KEEP_MS = 0 * DAY_MS;",
  },
  {
    rule: "an update takes a tombstone's expiry away",
    file: "table/compacted-writes.ts",
    from: "  expiresAt: row.expiresAt,\n",
    to: "  ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }),\n",
  },
  {
    rule: "put together only if each is newer",
    file: "table/compacted-writes.ts",
    from: "({ Update: replaceRequest(table, life, row, next) })",
    to: "({ Update: replaceRequest(table, life, row, Number.MAX_SAFE_INTEGER) })",
  },
  {
    rule: "rows that are as new do not hold up the others of their write",
    file: "table/put-compacted.ts",
    from: "left = left.filter((_, at) => !isRefused(at));",
    to: "left = [];",
  },
  {
    rule: "a part of a list ends where the next one begins",
    file: "model/snapshot-progress.ts",
    from: "bucket + 1 < until ?",
    to: "bucket + 1 < until + COMPACTED_BUCKETS ?",
  },
  {
    rule: "after the parts of a list the state is exact at the ends of the log",
    file: "subscription/position/shown-by.ts",
    from: "{ ...shown, exactFrom: ends.map(({ next }) => next) }",
    to: "{ ...shown, exactFrom: shown.exactFrom.with(0, ends.length) }",
  },
  {
    rule: "the floor stays below pins",
    file: "compaction/pin-plan.ts",
    from: "...openPins(checkpoint, nowMs).map(({ at }) => at),",
    to: "",
  },
];
