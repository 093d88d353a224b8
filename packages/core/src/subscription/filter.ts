import type { Filter, Reads } from "@eventledger/protocol";
import { isTombstone, type StoredEvent } from "../model/event.ts";

export type Matches = (event: StoredEvent) => boolean;

/**
 * Returns whether a subscription receives an event. Undefined when it receives all. Every consumer
 * of a key must see its deletion, so tombstones pass types and headers ([sub.filter-state]).
 */
export function matcherOf(filter: Filter | undefined): Matches | undefined {
  if (filter === undefined) return undefined;
  const { types, keyPrefix = "", headers = {} } = filter;
  const allowed = types === undefined ? undefined : new Set(types);
  const wanted = Object.entries(headers);
  return (event) => {
    if (!event.key.startsWith(keyPrefix)) return false;
    if (isTombstone(event)) return true;
    if (allowed !== undefined && (event.type === undefined || !allowed.has(event.type)))
      return false;
    return wanted.every(([name, value]) => event.headers?.[name] === value);
  };
}

/** Returns the same fields in a normal form, so that two settings can be compared. */
export const normalReads = (reads: Reads): Reads =>
  Object.fromEntries(
    Object.entries(reads)
      .map(([type, fields]) => [type, [...new Set(fields)].sort()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** Returns the same filter in its normal form, so that two filters can be compared. */
export function normalFilter({ types, keyPrefix, headers }: Filter): Filter {
  return {
    ...(types === undefined ? {} : { types: [...new Set(types)].sort() }),
    ...(keyPrefix === undefined ? {} : { keyPrefix }),
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))),
        }),
  };
}
