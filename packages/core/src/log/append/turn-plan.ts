import type { End } from "../end.ts";

/** Writers remember others for this long after they last met. */
export const CROWDED_MS = 300;
/** Races that are lost within this are one storm: those of one append and its retries. */
const STORM_MS = 50;
/** This many turns in a row that come at once show that there is no line any more. */
const FREE_MAX = 3;

/** What a writer knows of the others in a partition. Times are on the monotonic clock. */
export type Crowd = {
  readonly metMs: number;
  /** The races that it lost in a row. */
  readonly lost: number;
  /** True while writers wait for each other. */
  readonly line: boolean;
  /** The turns in a row that came at once. */
  readonly free: number;
};

/** Returns what a writer knows after a lost race. One is no reason for turns, and two are. */
export function afterRace(crowd: Crowd | undefined, nowMs: number): Crowd {
  const { metMs = 0, lost: before = 0, line = false, free = 0 } = crowd ?? {};
  const lost = nowMs - metMs < STORM_MS ? before + 1 : 1;
  return { metMs: nowMs, lost, line: lost > 1 || (line && nowMs - metMs < CROWDED_MS), free };
}

/** Returns what a writer knows after it took a turn, and had to wait for others or had not. */
export function afterTurn(crowd: Crowd | undefined, waited: boolean, nowMs: number): Crowd {
  if (waited) return { metMs: nowMs, lost: 0, line: true, free: 0 };
  const { metMs = nowMs, lost = 0, line = false, free: before = 0 } = crowd ?? {};
  const free = before + 1;
  return free < FREE_MAX ? { metMs, lost, line, free } : { metMs, lost: 0, line: false, free: 0 };
}

/** Returns whether a writer has met others recently. */
export const hasMet = (crowd: Crowd | undefined, nowMs: number): crowd is Crowd =>
  crowd !== undefined && nowMs - crowd.metMs < CROWDED_MS;

/**
 * Returns whether a writer takes a turn, which costs as much as a lost race. It does so while
 * writers wait in line, and after a race that it has just lost to writers that take turns.
 */
export const needsTurn = (crowd: Crowd | undefined, serving: boolean, nowMs: number): boolean =>
  hasMet(crowd, nowMs) &&
  (crowd.line || (serving && crowd.lost > 0 && nowMs - crowd.metMs < STORM_MS));

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
