/**
 * How many random programs, requests and kills this run plays, as a multiple of those of `npm
 * test`. `npm run test:deep`, which CI runs after it, plays four times as many.
 */
export const DEPTH = Number(process.env.DEPTH ?? 1);
