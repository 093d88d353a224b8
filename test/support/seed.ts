/**
 * What tests of chance draw from, a whole number below 2^31. The same one each time, so that
 * `npm test` says of a commit what it said before; the long runs of package.json set a new one.
 */
export const SEED = Number(process.env.SEED ?? 20_261_128);
