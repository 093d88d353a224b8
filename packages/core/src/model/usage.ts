import { DAY_MS, HOUR_MS } from "../kernel/time.ts";

/**
 * The events that one partition has published in one hour, by the times of its batches. `hour` is
 * in hours since 1970. `kept` is 1 if a row of usage has exactly these numbers. `state` is the size
 * of the compacted state after these events, if it is known: see `StateSize`.
 */
export type HourTally = readonly [
  hour: number,
  events: number,
  bytes: number,
  kept?: 0 | 1,
  state?: number,
];

/** Events, and their bytes as `publishedBytes` counts them. */
export type Amount = { readonly events: number; readonly bytes: number };

/** A checkpoint holds hours for about this long, so that one row takes several of them. */
const HELD_HOURS = 6;
const HELD_MAX = 12;

export const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS);

/** Returns the day of an hour in UTC, such as `2026-11-29`. */
export const dayOf = (hour: number): string =>
  new Date(hour * HOUR_MS).toISOString().slice(0, "2026-11-29".length);

export const hourOfDay = (day: string): number => Date.parse(day) / HOUR_MS;

export const HOURS_OF_DAY = DAY_MS / HOUR_MS;

/**
 * Returns the bytes of the attributes and the data of events, without the punctuation of their
 * batch. The sum does not depend on how events are put into batches.
 */
export const publishedBytes = (rawBytes: number, events: number): number =>
  Math.max(0, rawBytes - events - 2);

/**
 * Adds events that were published at a time to the hours of a partition. Times never decrease along
 * a chain, so only the last hour grows, and all hours before it are final. Pure.
 */
export function addToHours(
  hours: readonly HourTally[],
  publishedAt: number,
  { events, bytes }: Amount,
): readonly HourTally[] {
  if (events === 0) return hours;
  const last = hours.at(-1);
  const hour = Math.max(hourOf(publishedAt), last?.[0] ?? 0);
  if (last === undefined) return [[hour, events, bytes]];
  if (last[0] === hour) return [...hours.slice(0, -1), [hour, last[1] + events, last[2] + bytes]];
  const before = last[3] === 1 ? hours.slice(0, -1) : hours;
  return [...before, [hour, events, bytes]];
}

/** Returns an hour with this size of the compacted state, or without one. Pure. */
export function withState(
  [hour, events, bytes, kept]: HourTally,
  state: number | undefined,
): HourTally {
  if (state !== undefined) return [hour, events, bytes, kept ?? 0, state];
  return kept === undefined ? [hour, events, bytes] : [hour, events, bytes, kept];
}

/** Returns hours with a size of the compacted state after the last of them. Pure. */
export const endingWith = (
  hours: readonly HourTally[],
  state: number | undefined,
): readonly HourTally[] => {
  const last = hours.at(-1);
  return last === undefined ? hours : [...hours.slice(0, -1), withState(last, state)];
};

/** The hours to write as rows, and the hours that stay in the checkpoint. */
export type KeepPlan = {
  readonly due: readonly HourTally[];
  readonly rest: readonly HourTally[];
};

/**
 * Plans which hours become rows. With `all` they are all hours without a row. Otherwise they are
 * the final ones, once the first of them is some hours old. Pure.
 */
export function planKeep(
  hours: readonly HourTally[],
  { nowMs, all }: { readonly nowMs: number; readonly all: boolean },
): KeepPlan {
  const last = hours.at(-1);
  const first = hours[0];
  if (last === undefined || first === undefined) return { due: [], rest: hours };
  if (all) {
    const due = hours.filter((hour) => hour[3] !== 1);
    const [hour, events, bytes, , state] = last;
    return { due, rest: [withState([hour, events, bytes, 1], state)] };
  }
  const isOld = first[0] <= hourOf(nowMs) - HELD_HOURS || hours.length > HELD_MAX;
  const final = hours.slice(0, -1);
  return isOld && final.length > 0 ? { due: final, rest: [last] } : { due: [], rest: hours };
}

/** Groups hours by their day. Pure. */
export function byDay(hours: readonly HourTally[]): [day: string, hours: HourTally[]][] {
  const days = new Map<string, HourTally[]>();
  for (const tally of hours) {
    const day = dayOf(tally[0]);
    days.set(day, [...(days.get(day) ?? []), tally]);
  }
  return [...days];
}
