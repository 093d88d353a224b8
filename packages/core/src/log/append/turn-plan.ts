import type { End } from "../end.ts";

/** Writers take turns for this long after they last met others. */
export const CROWDED_MS = 1_000;

/** These constants are numbers of puts. */
const SLOT = 0.7;
/** A writer whose turn it is puts within this. After it, the next one goes on. */
const SLOT_MAX = 3;
/** How often the next writer looks whether its turn has come. */
const LOOKS_PER_PUT = 6;
/** From here on a writer looks often. */
const NEAR = 3;

/** Returns how many turns are before this one. Without a served turn, none waits. */
export const aheadOf = (turn: number, served: number | undefined): number =>
  served === undefined ? 0 : turn - served - 1;

/** Returns whether those before have had more time than they need. */
export const isOverdue = (ahead: number, sinceMs: number, putMs: number): boolean =>
  sinceMs > ahead * SLOT_MAX * putMs;

/** Returns how long to wait before the next look. */
export const pauseMs = (ahead: number, putMs: number): number =>
  ahead <= NEAR ? putMs / LOOKS_PER_PUT : (ahead - NEAR) * SLOT * putMs;

/** Returns whether the last batch shows that writers take turns. */
export const isServing = (end: Pick<End, "turn" | "publishedAt"> | undefined, nowMs: number) =>
  end?.turn !== undefined && nowMs - end.publishedAt < CROWDED_MS;

/** Returns the served turn that a new batch carries. Old ones are not carried on. */
export const servedWith = (
  turn: number | undefined,
  end: Pick<End, "turn" | "publishedAt">,
  nowMs: number,
): number | undefined => {
  const before = isServing(end, nowMs) ? end.turn : undefined;
  return turn === undefined ? before : Math.max(turn, before ?? 0);
};
