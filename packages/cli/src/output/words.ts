/** Numbers, times and names as people read them. */

const number = new Intl.NumberFormat("en-US");
const shortNumber = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** Formats 1234567 as 1,234,567. */
export const count = (value: number): string => number.format(value);

/** Formats `1 event` or `2 events`. */
export const plural = (value: number, word: string): string =>
  `${count(value)} ${word}${value === 1 ? "" : "s"}`;

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${shortNumber.format(value / 1000 ** power)} ${units[power]}`;
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** Formats a duration in its largest unit, such as `3h`. */
export function duration(seconds: number): string {
  if (seconds > 0 && seconds < 1) return "1s";
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? ["s", 1];
  return `${count(Math.floor(seconds / size))}${unit}`;
}

/** Formats a time as `3h ago`, `in 89d` or `now`. */
export function relative(iso: string | null | undefined, now: number): string {
  if (!iso) return "-";
  const seconds = Math.round((now - Date.parse(iso)) / 1_000);
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** Formats the time of day. A time before today also has its date. */
export function clockTime(iso: string, now: number): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("en-GB");
  const isToday = at.toDateString() === new Date(now).toDateString();
  const date = at.toLocaleDateString("en-US", { month: "short", day: "2-digit" });
  return isToday ? time : `${date} ${time}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Returns text that cannot move the cursor, change colours or reverse the line of a terminal. */
export const visible = (text: string): string =>
  text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Quotes an argument of a shell command, so that it can be shown and copied. */
export function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  const isPlain = visible(text) === text;
  // In these quotes, shells read \\u001b as the character.
  if (!isPlain) return `$'${visible(text.replace(/[\\']/g, "\\$&"))}'`;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
