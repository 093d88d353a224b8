/**
 * How many random programs, requests and kills this run plays, as a multiple of those of `npm
 * test`. `npm run test:deep` plays four times as many.
 */
export const DEPTH = Number(process.env.DEPTH ?? 1);

/**
 * Returns the cases that a row of a table of cases runs. `npm run test:deep` runs all. `npm test`
 * runs one, and its rows take turns, so that it meets every two values together once.
 */
export const inTurns = <T>(cases: readonly T[], row: number): readonly T[] =>
  DEPTH > 1 ? cases : cases.slice(row % cases.length).slice(0, 1);
