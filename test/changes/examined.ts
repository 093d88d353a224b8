/**
 * The files of which every change was tried: a test notices it, or survivors.ts says why none
 * has to.
 * `npm run mutate -- --examined` holds them to it.
 */
export const EXAMINED: readonly string[] = ["packages/core/src/compaction/removal.ts"];
