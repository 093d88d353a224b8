import type { LedgerDeps } from "@eventledger/core";
import { createLagging } from "./lagging.ts";
import type { Metrics } from "./metrics.ts";

type Observed = NonNullable<LedgerDeps["observeCompaction"]>;

const BELIEVED_MS = 60_000;

/** Counts the rows that compaction puts, and keeps the highest lag of a partition. */
export function observeCompaction(
  metrics: Pick<Metrics, "count" | "gauge">,
  now: () => number,
): Observed {
  const lagging = createLagging<{ events: number }>(now, BELIEVED_MS);
  return {
    rows: (count) => metrics.count("CompactedRows", count),
    grows: () => metrics.count("StreamsGrown"),
    lag({ life, partition, events }) {
      const most = lagging.note(`${life}#${partition}`, { events });
      metrics.gauge("CompactionLagEvents", most.events);
    },
  };
}
