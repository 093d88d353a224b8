/** Headers as a person writes them: one per line, such as `source: shop`. */

export type Headers = Readonly<Record<string, string>>;

/**
 * Parses lines of headers. Returns undefined when there are none, and throws for a line without a
 * colon.
 */
export function readHeaders(text: string): Headers | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) return undefined;
  return Object.fromEntries(lines.map(readLine));
}

function readLine(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw new Error(`A header is written as "name: value", unlike "${line.trim()}".`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

export const printHeaders = (headers: Headers = {}): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

/**
 * Returns a function that checks whether headers contain the one written as `name: value`, or any
 * with a given name.
 */
export function headerMatcher(text: string): (headers?: Headers) => boolean {
  const [wanted = "", ...rest] = text.split(":");
  const name = wanted.trim().toLowerCase();
  if (name === "") return () => true;
  const value = rest.length === 0 ? undefined : rest.join(":").trim();
  return (headers = {}) =>
    Object.hasOwn(headers, name) && (value === undefined || headers[name] === value);
}
