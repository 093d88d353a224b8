/**
 * The files and folders that protect data or access. A sample with `--each` contains all of their
 * changes, and a few of each other file.
 */
export const GUARDING: readonly string[] = [
  "packages/core/src/access",
  "packages/core/src/compaction",
  "packages/core/src/cursor",
  "packages/core/src/log/append/append-plan.ts",
  "packages/core/src/log/guard.ts",
  "packages/core/src/log/read/foreign-cursor.ts",
  "packages/core/src/model/restored.ts",
  "packages/core/src/subscription/parking",
  "packages/core/src/subscription/position",
  "packages/core/src/subscription/workers",
  "packages/core/src/table/append-rows.ts",
  "packages/core/src/table/lease-rows.ts",
  "packages/core/src/table/lifecycle-rows.ts",
  "packages/core/src/table/parking-rows.ts",
  "packages/core/src/table/restore-rows.ts",
  "packages/core/src/table/subscription-lifecycle-rows.ts",
  "packages/functions/src/http/auth.ts",
  "packages/functions/src/http/body-cap.ts",
  "packages/functions/src/http/rights.ts",
  "packages/functions/src/http/within.ts",
  "packages/functions/src/loopback.ts",
  "packages/functions/src/store-writes.ts",
];
