/**
 * How numbers in `data` are read. `double`: as JavaScript numbers, which are rounded beyond 2^53.
 * `bigint`: larger integers become bigints. `text`: each number keeps its spelling, as a string.
 */
export type Numbers = "double" | "bigint" | "text";

/** Reads an answer of the server in its own way, such as `rawData` of `@eventledger/sdk/raw`. */
export type ReadAnswer = (text: string) => unknown;

type ReviverWithSource = (this: unknown, key: string, value: unknown, context?: Source) => unknown;
type Source = { readonly source?: string };

/**
 * Parses an answer. Only numbers in `data` follow the setting: sequences and lags are always
 * numbers.
 */
export function parseAnswer(text: string, numbers: Numbers | ReadAnswer): unknown {
  if (typeof numbers === "function") return numbers(text);
  const parsed: unknown = JSON.parse(text);
  return numbers === "double" ? parsed : withExactData(parsed, parseExactly(text, numbers));
}

/** Parses a separate JSON text with the same setting. */
export function parseExactly(text: string, numbers: Numbers): unknown {
  if (numbers === "double") return JSON.parse(text);
  const revive: ReviverWithSource = (_, value, context) => {
    if (typeof value !== "number") return value;
    const source = context?.source;
    if (source === undefined)
      throw new Error(`numbers: "${numbers}" needs a newer JavaScript engine`);
    if (numbers === "text") return source;
    const isExact = Number.isSafeInteger(value) || !/^-?\d+$/.test(source);
    return isExact ? value : BigInt(source);
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/**
 * Takes the `data` of each event from the exact reading, and everything else from the plain one.
 */
function withExactData(plain: unknown, exact: unknown): unknown {
  if (!isRecord(plain) || !isRecord(exact)) return plain;
  for (const list of ["events", "items"]) {
    const [events, exactly] = [plain[list], exact[list]];
    if (!Array.isArray(events) || !Array.isArray(exactly)) continue;
    for (const [index, event] of events.entries()) event.data = exactly[index]?.data;
  }
  if ("data" in plain) plain.data = exact.data;
  return plain;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
