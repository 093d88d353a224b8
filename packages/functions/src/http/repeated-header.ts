import type { InvalidField } from "@eventledger/protocol";

/**
 * Returns the first header that was sent more than once and may not be. Undefined when there is
 * none. HTTP libraries join such headers with commas, so two keys would become a third one.
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
