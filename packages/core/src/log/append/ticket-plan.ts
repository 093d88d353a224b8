import type { Batch } from "../../table/batch.ts";
import type { End } from "../end.ts";

/** Writers stop taking tickets when no batch has carried a ticket for this long. */
export const CROWDED_MS = 1_000;

/**
 * Writers also stop after many free tickets in a row. A free ticket counts more if it comes this
 * long after the previous batch. Between batches in quick succession, a slow writer may be waiting.
 */
const FREE_MAX = 48;
export const IDLE_MS = 20;
const IDLE_WEIGHT = 24;

/** A place in the order of the writers of a partition. */
export type Ticket = {
  readonly number: number;
  /** True if it was the next ticket when it was taken, and its append has lost no race since. */
  readonly free: boolean;
};

/** What a batch records about tickets. Empty when writers take none. */
export type Served = Pick<Batch, "ticket" | "free">;

/** The following constants are multiples of the duration of a put. */
const SLOT = 0.7;
/** A writer whose ticket has come puts within this time. After it, the next writer may put. */
const SLOT_MAX = 3;
/** How often the next writer checks whether its ticket has come. */
const LOOKS_PER_PUT = 6;
/** A writer with this many tickets before it, or fewer, checks often. */
const NEAR = 3;

/** Returns how many tickets come before this one. 0 if no ticket was served so far. */
export const aheadOf = (ticket: number, served: number | undefined): number =>
  served === undefined ? 0 : ticket - served - 1;

/** Returns whether the writers before this one have had more time than they need. */
export const isOverdue = (ahead: number, sinceMs: number, putMs: number): boolean =>
  sinceMs > ahead * SLOT_MAX * putMs;

/** Returns the pause before the next check. */
export const pauseMs = (ahead: number, putMs: number): number =>
  ahead <= NEAR ? putMs / LOOKS_PER_PUT : (ahead - NEAR) * SLOT * putMs;

type LastServed = Pick<End, "ticket" | "free" | "publishedAt">;

/** Returns whether the last batch shows that writers take tickets. */
export const isServing = (end: LastServed | undefined, nowMs: number): boolean =>
  end?.ticket !== undefined && nowMs - end.publishedAt < CROWDED_MS;

/** Returns what a new batch records about tickets. */
export function servedWith(ticket: Ticket | undefined, end: LastServed, nowMs: number): Served {
  const { ticket: last = 0, free: before = 0 } = isServing(end, nowMs) ? end : {};
  if (ticket === undefined) return last === 0 ? {} : { ticket: last, free: before };
  const weight = nowMs - end.publishedAt < IDLE_MS ? 1 : IDLE_WEIGHT;
  const free = ticket.free ? before + weight : 0;
  return free < FREE_MAX ? { ticket: Math.max(ticket.number, last), free } : {};
}
