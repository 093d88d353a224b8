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

/**
 * Returns the back-off before try number `attempt` (from 0): "full jitter", a uniform choice below
 * an exponentially growing bound, so that clients that collided do not collide again. Source: M.
 * Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export const fullJitterMs = (
  random: Random,
  attempt: number,
  { baseMs, capMs }: { baseMs: number; capMs: number },
): number => random.fraction() * Math.min(capMs, baseMs * 2 ** attempt);
