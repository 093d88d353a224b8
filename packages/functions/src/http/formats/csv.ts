import type { UsageEntry } from "@eventledger/protocol";

export const CSV = "text/csv";

const COLUMNS = [
  "time",
  "stream",
  "key",
  "tenant",
  "published_events",
  "published_bytes",
  "delivered_events",
  "delivered_bytes",
  "requests",
  "hot_bytes",
  "archived_bytes",
  "compacted_bytes",
] as const;

/**
 * Prints usage as CSV (RFC 4180). No value needs quotes: names have no comma, and no name begins
 * with a character that a spreadsheet takes for a formula.
 */
export function printUsage(entries: readonly UsageEntry[]): string {
  const rows = entries.map(({ time, stream, key, tenant, stored, ...of }) =>
    [
      time,
      stream,
      key,
      tenant,
      of.published.events,
      of.published.bytes,
      of.delivered.events,
      of.delivered.bytes,
      of.requests,
      stored?.hotBytes,
      stored?.archivedBytes,
      stored?.compactedBytes,
    ]
      .map((value) => value ?? "")
      .join(","),
  );
  return [COLUMNS.join(","), ...rows, ""].join("\r\n");
}
