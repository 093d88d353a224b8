/**
 * How numbers in `data` are read. `double`: as JavaScript numbers, which are rounded beyond 2^53.
 * `bigint`: larger integers become bigints. `text`: each number keeps its spelling, as a string.
 */
export type Numbers = "double" | "bigint" | "text";

/** Reads an answer of the server in its own way, such as `rawData` of `@eventledger/sdk/raw`. */
export type ReadAnswer = (text: string) => unknown;

type Revive = (this: unknown, key: string, value: unknown, context?: Source) => unknown;
type Source = { readonly source?: string };

/**
 * Parses an answer. Only numbers in `data` follow the setting. Sequences and lags are always
 * numbers.
 */
export function parseAnswer(text: string, numbers: Numbers | ReadAnswer): unknown {
  if (typeof numbers === "function") return numbers(text);
  const answer: unknown = JSON.parse(text);
  if (numbers === "double") return answer;
  const exact = eventsOf(parseExactly(text, numbers));
  for (const [index, event] of eventsOf(answer).entries()) {
    if ("data" in event) event.data = exact[index]?.data;
  }
  return answer;
}

/** Returns the objects of an answer that can have data. */
const eventsOf = (answer: unknown): { data?: unknown }[] => {
  const { events, items } = answer as { events?: object[]; items?: object[] };
  return events ?? items ?? [answer as object];
};

function parseExactly(text: string, numbers: "bigint" | "text"): unknown {
  const revive: Revive = (_, value, { source } = {}) => {
    if (typeof value !== "number") return value;
    if (source === undefined) throw new Error("numbers: this JavaScript engine has only double");
    if (numbers === "text") return source;
    return Number.isSafeInteger(value) || !/^-?\d+$/.test(source) ? value : BigInt(source);
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}
