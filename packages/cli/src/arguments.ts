import { UsageError } from "./io.ts";

/** Values of options and arguments, from the text that a user types. */

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `15m` -> 900,000 */
export function parseDuration(text: string, option: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const size = UNITS[unit];
  if (size !== undefined) return Number(digits) * size;
  throw new UsageError(`${option} takes a length of time such as 30s, 15m, 12h or 7d: ${text}`);
}

export function parseCount(text: string, option: string, least = 1): number {
  const value = countOf(text, least);
  if (value !== undefined) return value;
  throw new UsageError(`${option} takes a number, ${least} or more: ${text}`);
}

function countOf(text: string, least: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) && value >= least ? value : undefined;
}

/** `auto` stays as it is. */
export function parseCountOrAuto(text: string, option: string): number | "auto" {
  const value = text === "auto" ? text : countOf(text, 1);
  if (value !== undefined) return value;
  throw new UsageError(`${option} takes a number, 1 or more, or auto: ${text}`);
}

/** Returns a parser for commander. */
export const counted =
  (option: string, least = 1) =>
  (text: string): number =>
    parseCount(text, option, least);

/** Collects an option that may be given several times, or once with commas. */
export const listed = (text: string, former: readonly string[] = []): string[] => [
  ...former,
  ...text.split(",").filter((part) => part !== ""),
];

/** Collects `name=value`. */
export function paired(
  text: string,
  former: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf("=");
  if (at > 0) return { ...former, [text.slice(0, at)]: text.slice(at + 1) };
  throw new UsageError(`--header takes name=value, not "${text}".`);
}

/** Collects `type=field,field`. */
export function fieldsByType(
  text: string,
  former: Readonly<Record<string, string[]>> = {},
): Record<string, string[]> {
  const at = text.lastIndexOf("=/");
  const fields = text.slice(at + 1).split(",");
  if (at > 0 && fields.every((field) => field.startsWith("/"))) {
    const type = text.slice(0, at);
    return { ...former, [type]: [...(former[type] ?? []), ...fields] };
  }
  throw new UsageError(`--reads takes type=/field,/field, not "${text}".`);
}

/** Where reading starts: at the last n events, or at a place in the server's grammar. */
export type Start = { readonly last: number } | { readonly place: string };

/**
 * `earliest`, `latest`, `-20` (the last 20), `-15m` (15 minutes ago), a date or time, a sequence,
 * or a cursor.
 */
export function parseStart(text: string, now: number): Start {
  if (/^-\d+$/.test(text)) return { last: parseCount(text.slice(1), "--from") };
  return { place: parsePlace(text, now) };
}

/** Parses the same places for a command that cannot start at the last n events. */
export function parsePlace(text: string, now: number): string {
  if (/^-\d+[smhdw]$/.test(text)) {
    return new Date(now - parseDuration(text.slice(1), "a place")).toISOString();
  }
  // A date alone means midnight in the time zone of this machine.
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return instant(`${text}T00:00:00`, text);
  if (/^\d{4}-\d{2}-\d{2}[T ]/.test(text)) return instant(text.replace(" ", "T"), text);
  if (/^-/.test(text)) {
    throw noPlace(text);
  }
  return text;
}

const noPlace = (text: string): UsageError =>
  new UsageError(
    `"${text}" is not a place: earliest, latest, -15m, 2026-11-29T08:00Z, a sequence or a cursor.`,
  );

function instant(text: string, given: string): string {
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new UsageError(`"${given}" is not a time: write it like 2026-11-29T08:00:00Z.`);
}

/** Returns a place in the form of a request's body. */
export const placeInBody = (
  place: string,
): string | { readonly sequence: number } | { readonly cursor: string } => {
  if (/^\d+$/.test(place)) return { sequence: Number(place) };
  if (/^(earliest|latest|bootstrap)$/.test(place) || /^\d{4}-\d{2}-\d{2}T/.test(place))
    return place;
  if (!/^[\w-]{12,}$/.test(place)) throw noPlace(place);
  return { cursor: place };
};
