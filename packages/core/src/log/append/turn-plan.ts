import type { Batch } from "../../table/batch.ts";
import type { End } from "../end.ts";

/** Turns end when no batch has carried one for this long. */
export const CROWDED_MS = 1_000;

/**
 * Turns also end after a sum of free turns in a row. Those that come this long after the batch
 * before them count more, because between batches that follow at once a slow writer may be waiting.
 */
const FREE_MAX = 48;
export const IDLE_MS = 20;
const IDLE_WEIGHT = 24;

/** A place in the order of the writers of a partition. */
export type Turn = {
  readonly number: number;
  /** Whether it was the next one when it was taken, and its append has lost no race. */
  readonly free: boolean;
};

/** What a batch says of the turns. Empty when writers take none. */
export type Served = Pick<Batch, "turn" | "free">;

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

type LastServed = Pick<End, "turn" | "free" | "publishedAt">;

/** Returns whether the last batch shows that writers take turns. */
export const isServing = (end: LastServed | undefined, nowMs: number): boolean =>
  end?.turn !== undefined && nowMs - end.publishedAt < CROWDED_MS;

/** Returns what a new batch says of the turns. */
export function servedWith(turn: Turn | undefined, end: LastServed, nowMs: number): Served {
  const { turn: last = 0, free: before = 0 } = isServing(end, nowMs) ? end : {};
  if (turn === undefined) return last === 0 ? {} : { turn: last, free: before };
  const weight = nowMs - end.publishedAt < IDLE_MS ? 1 : IDLE_WEIGHT;
  const free = turn.free ? before + weight : 0;
  return free < FREE_MAX ? { turn: Math.max(turn.number, last), free } : {};
}
