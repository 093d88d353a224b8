import type { LedgerDeps } from "@eventledger/core";
import type { Metrics } from "./metrics.ts";

type Observed = NonNullable<LedgerDeps["observeCompaction"]>;

/**
 * A lag that was seen longer ago is not reported, because another process may have compacted the
 * rest.
 */
const BELIEVED_MS = 60_000;

/** Counts the rows that compaction puts, and keeps the highest lag of a partition. */
export function observeCompaction(
  metrics: Pick<Metrics, "count" | "gauge">,
  now: () => number,
): Observed {
  const lagging = new Map<string, { readonly events: number; readonly seenAt: number }>();
  return {
    rows: (count) => metrics.count("CompactedRows", count),
    lag({ life, partition, events }) {
      const seenAt = now();
      lagging.set(`${life}#${partition}`, { events, seenAt });
      for (const [name, seen] of lagging) {
        if (seen.events === 0 || seenAt - seen.seenAt > BELIEVED_MS) lagging.delete(name);
      }
      const most = [...lagging.values()].reduce((max, seen) => Math.max(max, seen.events), 0);
      metrics.gauge("CompactionLagEvents", most);
    },
  };
}
