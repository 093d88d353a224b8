import type { LedgerDeps } from "@eventledger/core";
import { createLagging } from "./lagging.ts";
import type { Metrics } from "./metrics.ts";

type Observed = NonNullable<LedgerDeps["observeArchive"]>;

/** The sweeper looks at each partition once an hour. */
const BELIEVED_MS = 2 * 3_600_000;

/** Counts the segments that archiving writes, and keeps the highest lag of a partition. */
export function observeArchive(
  metrics: Pick<Metrics, "count" | "gauge">,
  now: () => number,
): Observed {
  const lagging = createLagging<{ events: number; seconds: number }>(now, BELIEVED_MS);
  return {
    segment(bytes) {
      metrics.count("ArchivedSegments");
      metrics.count("ArchivedBytes", bytes);
    },
    lag({ life, partition, events, seconds }) {
      const most = lagging.note(`${life}#${partition}`, { events, seconds });
      metrics.gauge("ArchiveLagEvents", most.events);
      metrics.gauge("ArchiveLagSeconds", most.seconds);
    },
  };
}
