import type { InvalidField } from "@eventledger/protocol";

/**
 * The first header that came more than once and may not; undefined when there is none. Joined with
 * commas, as HTTP libraries hand such headers on, two keys would become a third one.
 */
export function repeatedHeader(rawHeaders: readonly string[]): InvalidField | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? "";
    if (seen.has(name) && (ONCE.has(name) || name.startsWith("ce-"))) {
      return { pointer: `/headers/${name}`, detail: "must not come more than once" };
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
