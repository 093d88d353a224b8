import { createBounded } from "../../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";

const EVENTS_MS = 200;
const IDLE_MIN_MS = 1_000;
const IDLE_MAX_MS = 10_000;
/** A client waits one tenth of the idle time before its next poll. */
const IDLE_PART = 10;
const ENTRIES_MAX = 10_000;

type Page = { readonly idle: boolean; readonly caughtUp: boolean };

/**
 * Computes when the next poll is worthwhile, in milliseconds ([poll.pace]). That is at once while
 * there are more events, and soon after events. After that it is a tenth of the time for which this
 * process has seen the subscription idle, between one second and ten. If a process forgets that
 * time, clients poll sooner, never later.
 */
export function createPace(clock: Clock) {
  const idle = createBounded<Stamp>(ENTRIES_MAX);

  return {
    next(name: string, { idle: isIdle, caughtUp }: Page): number {
      if (!isIdle) {
        idle.delete(name);
        return caughtUp ? EVENTS_MS : 0;
      }
      const since = idle.get(name);
      if (since !== undefined) {
        return Math.round(clamp(ageMs(clock, since) / IDLE_PART));
      }
      idle.set(name, takeStamp(clock));
      return IDLE_MIN_MS;
    },
  };
}

const clamp = (ms: number): number => Math.min(IDLE_MAX_MS, Math.max(IDLE_MIN_MS, ms));
