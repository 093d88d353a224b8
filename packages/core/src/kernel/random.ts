import { randomBytes } from "node:crypto";

/** The randomness for the core. It is injected, so that a simulation can repeat a run. */
export type Random = {
  bytes(count: number): Uint8Array;
  /** At least 0 and less than 1. */
  fraction(): number;
};

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};

/** Returns a short id for one life of an item: 72 random bits, safe inside a table key. */
export const newUid = (random: Random): string =>
  Buffer.from(random.bytes(9)).toString("base64url");
