import type { InvalidField } from "@eventledger/protocol";

/**
 * Returns the first header that occurs more than once and must not, or undefined. HTTP libraries
 * join such headers with commas, so two keys would become a third key.
 */
export function repeatedHeader(rawHeaders: readonly string[]): InvalidField | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? "";
    if (seen.has(name) && (ONCE.has(name) || name.startsWith("ce-"))) {
      return { pointer: `/headers/${name}`, detail: "must not occur more than once" };
    }
    seen.add(name);
  }
  return undefined;
}

const ONCE = new Set([
  "authorization",
  "content-type",
  "host",
  "idempotency-key",
  "if-match",
  "origin",
  "x-api-key",
]);
