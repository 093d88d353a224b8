/**
 * How much the writers of a partition wait for each other, as its checkpoint keeps it: a minute
 * since 1970, its batches and those of them that waited, and the number of crowded minutes in a row
 * before it.
 */
export type Crowding = readonly [
  minute: number,
  batches: number,
  waited: number,
  crowdedMinutes: number,
];
