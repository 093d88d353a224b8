import { type MetricName, metricOf } from "./catalog.ts";
import type { Metrics, Reading } from "./metrics.ts";

type Deps = {
  readonly metrics: Metrics;
  /** The only dimension of the metrics. Alarms refer to it. */
  readonly tableName: string;
  /** Writes a line unchanged. `console.log` is unsuitable, because Lambda wraps its output. */
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The metrics to write. If absent, all are written. */
  readonly names?: readonly MetricName[];
};

const NAMESPACE = "EventLedger";

/** Lines are limited by a token bucket: one line every 10 s, with a burst of 60. */
const LINE_EVERY_MS = 10_000;
const SAVED_MAX_MS = 60 * LINE_EVERY_MS;

/**
 * Writes metrics to the log in CloudWatch's embedded metric format. CloudWatch creates the metrics
 * at no cost beyond that of the line.
 *
 * `flush` runs after every request and writes the measurements since the last line. It writes at
 * once while the process is idle. A busy process writes at most every 10 s, so that metrics cost
 * less than the work they measure. When AWS ends a busy process, up to 10 s of its measurements are
 * lost.
 *
 * A gauge of 0 is not written. A gap therefore means that nothing lags, and an unused stage pays
 * for no metric.
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
 * Prints a line. Labels are not dimensions: their values are listed next to the sum, where queries
 * of the log find them.
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
  const metrics = [...sums.keys()]
    .filter((name) => !metricOf(name).logged)
    .map((name) => ({ Name: name, Unit: metricOf(name).unit }));
  const directive = { Namespace: NAMESPACE, Dimensions: [["TableName"]], Metrics: metrics };
  return JSON.stringify({
    ...(metrics.length === 0
      ? { timestamp: new Date(atMs).toISOString(), level: "INFO" }
      : { _aws: { Timestamp: atMs, CloudWatchMetrics: [directive] }, TableName: tableName }),
    ...Object.fromEntries(sums),
    ...parts,
  });
}
