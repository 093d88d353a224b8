/**
 * The files for which every change was tried. A test notices each change, or survivors.ts explains
 * why no test needs to. `npm run mutate -- --examined` checks that this stays true.
 */
export const EXAMINED: readonly string[] = [
  "packages/core/src/access/cascade-plan.ts",
  "packages/core/src/access/key-memory.ts",
  "packages/core/src/compaction/removal.ts",
  "packages/core/src/kernel/clock.ts",
  "packages/core/src/subscription/workers/lease-plan.ts",
  "packages/core/src/subscription/workers/until-plan.ts",
];
