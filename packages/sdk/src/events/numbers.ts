/**
 * What numbers in `data` become. `double`: JavaScript's numbers, which round beyond 2^53. `bigint`:
 * a bigint where an integer is larger than that. `text`: each number as it was spelled.
 */
export type Numbers = "double" | "bigint" | "text";

type ReviverWithSource = (this: unknown, key: string, value: unknown, context?: Source) => unknown;
type Source = { readonly source?: string };

/**
 * Parses an answer. Only `data` is read in the way that was asked for: sequences and lags are
 * always numbers.
 */
export function parseAnswer(text: string, numbers: Numbers): unknown {
  const parsed: unknown = JSON.parse(text);
  return numbers === "double" ? parsed : withExactData(parsed, parseExactly(text, numbers));
}

/** Parses a JSON text of its own in the same way. */
export function parseExactly(text: string, numbers: Numbers): unknown {
  if (numbers === "double") return JSON.parse(text);
  const revive: ReviverWithSource = (_, value, context) => {
    if (typeof value !== "number") return value;
    const source = context?.source;
    if (source === undefined) throw new Error(`numbers: "${numbers}" needs a newer JavaScript`);
    if (numbers === "text") return source;
    const isExact = Number.isSafeInteger(value) || !/^-?\d+$/.test(source);
    return isExact ? value : BigInt(source);
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** Takes `data` of each event from the exact reading, and everything else from the plain one. */
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
