/**
 * The files for which every change was tried. A test notices each change, or survivors.ts explains
 * why no test needs to. `npm run mutate -- --examined` checks that this stays true.
 */
export const EXAMINED: readonly string[] = ["packages/core/src/compaction/removal.ts"];
