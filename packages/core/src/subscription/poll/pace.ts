import { createBounded } from "../../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";

const EVENTS_MS = 200;
const IDLE_MIN_MS = 1_000;
const IDLE_MAX_MS = 10_000;
/** Back off to one tenth of the idle time. */
const IDLE_PART = 10;
const ENTRIES_MAX = 10_000;

type Page = { readonly idle: boolean; readonly caughtUp: boolean };

/**
 * When polling again is worth it, in milliseconds ([poll.pace]): at once while there is more, soon
 * after events, and then a tenth of how long this process has seen the subscription idle, between
 * one second and ten. What a process forgets makes clients ask sooner, never later.
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
