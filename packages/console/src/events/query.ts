import type { Place } from "../../../sdk/src/index.ts";
import type { Query } from "../place.ts";

/** The content of the list of events, as the address describes it. */
export type LogQuery = {
  readonly order: "desc" | "asc";
  /** A place where reading begins: `earliest`, a moment, a sequence or a cursor. */
  readonly at: string | undefined;
  /** The number of last events to show, instead of a place. */
  readonly last: number | undefined;
  readonly type: string | undefined;
  readonly key: string | undefined;
  readonly keyPrefix: string | undefined;
  /** A text to find in the events that are read. */
  readonly find: string;
  /** A header to find in them: `name: value`, or the name alone. */
  readonly header: string;
};

export function readLogQuery(query: Readonly<Record<string, string>>): LogQuery {
  const { at, last, type, key, prefix, find = "", header = "" } = query;
  const isFrom = query.order === "asc" || last !== undefined;
  return {
    order: isFrom ? "asc" : "desc",
    at: at || undefined,
    last: last !== undefined && /^\d{1,4}$/.test(last) ? Number(last) : undefined,
    type: type || undefined,
    key: key || undefined,
    keyPrefix: prefix || undefined,
    find,
    header,
  };
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/**
 * Parses a place that a person types: `15m` ago, `last 50`, `#42`, `earliest`, a time of day, a
 * date with or without a time, or anything that the API itself accepts. Returns it as members of
 * the address. `now` is in milliseconds.
 */
export function readGoTo(typed: string, now: number): Query {
  const text = typed.trim();
  const last = /^(?:last|-)\s*(\d{1,4})$/i.exec(text)?.[1];
  if (last !== undefined) return { last, at: undefined };
  const sequence = /^#?(\d+)$/.exec(text)?.[1];
  if (sequence !== undefined) return { at: sequence, last: undefined };
  return { at: readMoment(text, now) ?? text, last: undefined };
}

/** Parses a moment that a person writes, in the time zone of this machine. */
function readMoment(text: string, now: number): string | undefined {
  const [, amount, unit] = /^-?(\d+)\s*([smhd])(?: ago)?$/.exec(text) ?? [];
  if (amount !== undefined) {
    return new Date(now - Number(amount) * (UNITS[unit ?? "s"] ?? 1) * 1_000).toISOString();
  }
  const [, day, time] =
    /^(?:(\d{4}-\d{2}-\d{2})(?:[ T]|$))?(\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?$/.exec(text) ??
    [];
  if (day === undefined && time === undefined) return undefined;
  const today = new Date(now);
  const [year, month, date] = day?.split("-").map(Number) ?? [
    today.getFullYear(),
    today.getMonth() + 1,
    today.getDate(),
  ];
  const [hours = 0, minutes = 0, seconds = 0] = time?.split(":").map(Number) ?? [];
  const whole = Math.floor(seconds);
  const rest = Math.round((seconds - whole) * 1_000);
  const at = new Date(year ?? 0, (month ?? 1) - 1, date ?? 1, hours, minutes, whole, rest);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/**
 * Returns the place to send. A backward read returns the events before a place, so a sequence is
 * sent plus one.
 */
export function placeOf({ order, at }: LogQuery): string | undefined {
  if (at === undefined || order === "asc" || !/^\d+$/.test(at)) return at;
  return String(BigInt(at) + 1n);
}

/**
 * Returns a place in the form of a request's body. Anything that is neither a number nor a time is
 * a cursor.
 */
export function placeBody(at: string): Place {
  if (at === "earliest" || at === "latest" || at === "bootstrap") return at;
  if (/^\d+$/.test(at)) return { sequence: Number(at) };
  return /^\d{4}-/.test(at) ? { timestamp: at } : { cursor: at };
}
