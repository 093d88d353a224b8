/** Prints numbers and times for people, always in the same form. */

const GROUPED = new Intl.NumberFormat("en-US");

export const count = (value: number): string => GROUPED.format(value);

/** A count with its noun: `1 event`, `2,000 events`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  const amount = value / 1024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[power]}`;
}

/** A duration in its largest unit: `12 s`, `4 min`, `3 h`, `5 d`. */
export function duration(seconds: number): string {
  if (seconds < 1) return seconds <= 0 ? "0 s" : "under 1 s";
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Formats how long ago a moment was. */
export function ago(moment: string, now: number): string {
  const seconds = (now - Date.parse(moment)) / 1_000;
  return seconds < 1 ? "now" : `${duration(seconds)} ago`;
}

/** Formats how far ahead a moment is. */
export function ahead(moment: string, now: number): string {
  const seconds = (Date.parse(moment) - now) / 1_000;
  return seconds <= 0 ? "passed" : `in ${duration(seconds)}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Formats the day in the reader's time zone: `2026-11-29`. */
export function day(moment: string): string {
  const date = new Date(moment);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Formats the time in the reader's time zone, to the millisecond: `14:02:07.250`. */
export function clock(moment: string): string {
  const date = new Date(moment);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${parts}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Formats a whole moment in the reader's time zone: `2026-11-29 14:02:07`. */
export const moment = (text: string): string => `${day(text)} ${clock(text).slice(0, 8)}`;

/** Formats events per second, with a useful number of digits. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return "0/s";
  if (perSecond < 0.1) return "<0.1/s";
  return perSecond < 10 ? `${perSecond.toFixed(1)}/s` : `${count(Math.round(perSecond))}/s`;
}

/** Says why an event has no data. */
export const goneWord = ({ erased }: { readonly erased?: true }): string =>
  erased === true ? "erased" : "deletes its key";
