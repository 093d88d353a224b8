import type { PushId } from "@eventledger/core";

/** A message that makes a pusher look at one push. */
export type Bell = Pick<PushId, "life" | "subscriptionUid"> & {
  /**
   * The earliest time of the run, in milliseconds since 1970. A queue delays a message by 15
   * minutes at most.
   */
  readonly at?: number;
  /** How many runs have thrown. */
  readonly tries?: number;
};

/** A bell, and how long the queue keeps it back. */
export type Rung = { readonly bell: Bell; readonly delaySeconds: number };

/** The queue of bells. `send` rejects unless the queue has stored all of them. */
export type Bells = { send(rung: readonly Rung[]): Promise<void> };

const DELAY_MAX_SECONDS = 900;

/** Returns a bell with the delay until its time, or with the longest that a queue allows. */
export function timed(bell: Bell, nowMs: number): Rung {
  const seconds = Math.ceil(((bell.at ?? 0) - nowMs) / 1_000);
  return { bell, delaySeconds: Math.min(Math.max(seconds, 0), DELAY_MAX_SECONDS) };
}

/** Throws for a text that is not a bell. */
export function readBell(text: string): Bell {
  const bell = JSON.parse(text) as Partial<Bell> | null;
  if (typeof bell?.life !== "string" || typeof bell.subscriptionUid !== "string") {
    throw new TypeError("The message is no bell");
  }
  return bell as Bell;
}
