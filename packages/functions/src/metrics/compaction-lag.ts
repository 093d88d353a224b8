import type { LedgerDeps } from "@eventledger/core";
import type { Metrics } from "./metrics.ts";

type Observed = NonNullable<LedgerDeps["observeCompaction"]>;

/** Another process may have done the rest of what was seen longer ago. */
const BELIEVED_MS = 60_000;

/** Counts what compaction puts, and keeps the lag of the partition that has most before it. */
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
