import { type MetricName, metricOf } from "./catalog.ts";
import type { Metrics, Reading } from "./metrics.ts";

type Deps = {
  readonly metrics: Metrics;
  /** The only dimension, which alarms name. */
  readonly tableName: string;
  /** Takes a line as it is. `console.log` will not do: Lambda wraps what goes through it. */
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Writes only these metrics. Without it, writes all of them. */
  readonly names?: readonly MetricName[];
};

const NAMESPACE = "EventLedger";

/** Token bucket: one line every 10 s, with a burst of 60. */
const LINE_EVERY_MS = 10_000;
const SAVED_MAX_MS = 60 * LINE_EVERY_MS;

/**
 * Writes metrics to the log in CloudWatch's embedded metric format. CloudWatch creates the metrics
 * at no cost beyond that of the line. `flush`, called after every request, writes the measurements
 * since the last line. It writes at once while the process is not busy. A busy process gathers for
 * up to 10 s, so that writing metrics costs less than the work that they measure. Measurements that
 * a process has gathered when AWS ends it are lost: less than 10 s of one busy process. A gauge of
 * 0 is left out, so a gap means that nothing lags, and an unused stage pays for no metric.
 */
export function createEmfWriter({ metrics, tableName, write, now, names }: Deps) {
  let savedMs = SAVED_MAX_MS;
  let refilledAt = now();

  return {
    flush(): void {
      const at = now();
      savedMs = Math.min(SAVED_MAX_MS, savedMs + Math.max(0, at - refilledAt));
      refilledAt = at;
      if (savedMs < LINE_EVERY_MS) return;
      const readings = metrics
        .drain()
        .filter(({ name, value }) => value > 0 && (names?.includes(name) ?? true));
      if (readings.length === 0) return;
      savedMs -= LINE_EVERY_MS;
      write(printEmf(readings, { tableName, atMs: at }));
    },
  };
}

/**
 * Labels are no dimensions: their values stand beside the sum, where queries of the log find them.
 */
function printEmf(
  readings: readonly Reading[],
  { tableName, atMs }: { tableName: string; atMs: number },
): string {
  const sums = new Map<MetricName, number>();
  const parts: Record<string, Record<string, number>> = {};
  for (const { name, label, value } of readings) {
    if (!metricOf(name).known) sums.set(name, (sums.get(name) ?? 0) + value);
    if (label !== undefined) parts[`${name}By`] = { ...parts[`${name}By`], [label]: value };
  }
  const metrics = [...sums.keys()].map((name) => ({ Name: name, Unit: metricOf(name).unit }));
  const directive = { Namespace: NAMESPACE, Dimensions: [["TableName"]], Metrics: metrics };
  return JSON.stringify({
    ...(metrics.length === 0
      ? { timestamp: new Date(atMs).toISOString(), level: "INFO" }
      : { _aws: { Timestamp: atMs, CloudWatchMetrics: [directive] }, TableName: tableName }),
    ...Object.fromEntries(sums),
    ...parts,
  });
}
