import type { MetricName } from "./catalog.ts";
import { createEmfWriter } from "./emf.ts";
import { writeLine } from "./log-line.ts";
import type { Metrics } from "./metrics.ts";
import { type Answered, countProblems, printAnswered } from "./request-log.ts";

/** Writes a function's metrics to its log. Flush it before the function answers. */
export const openMetricsLog = (
  metrics: Metrics,
  of: { readonly tableName: string; readonly names?: readonly MetricName[] },
) => createEmfWriter({ metrics, ...of, write: writeLine, now: Date.now });

/** Logs a request, counts its problem, and flushes the metrics. */
export function createRequestLog(metrics: Metrics, of: { readonly tableName: string }) {
  const metricsLog = openMetricsLog(metrics, of);
  const count = countProblems(metrics);
  return (answered: Answered): void => {
    writeLine(printAnswered(answered, Date.now()));
    count(answered);
    metricsLog.flush();
  };
}
