/**
 * The seed of random tests, an integer below 2^31. It is fixed, so that `npm test` repeats its
 * result for a commit. The long runs of package.json set a new one.
 */
export const SEED = Number(process.env.SEED ?? 20_261_128);
