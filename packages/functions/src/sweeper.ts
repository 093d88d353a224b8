import { openMetricsLog } from "./metrics/lambda.ts";
import { describeError, logLine } from "./metrics/log-line.ts";
import { openLedger, readConfig } from "./open-ledger.ts";
import { queueFrom } from "./push/queue.ts";

const config = readConfig(process.env, { serves: false });
const { ledger, metrics } = openLedger(config);
const bells = queueFrom(process.env);
/**
 * The sweep writes metrics of CloudWatch only when something is wrong, because an hourly metric
 * costs as much as a busy one. The other numbers are in the log line alone.
 */
const metricsLog = openMetricsLog(metrics, {
  ...config,
  names: [
    "CompactionLagSeconds",
    "ArchiveLagSeconds",
    "ArchiveLagEvents",
    "ArchivedSegments",
    "ArchivedBytes",
  ],
});

/**
 * The time that a sweep may use. It leaves a minute of the function's ten for work that has already
 * started.
 */
const BUDGET_MS = 9 * 60_000;
/** The parts of that time which exports and erasures may use, after everything else. */
const EXPORTS_MS = 2 * 60_000;
const ERASURES_MS = 2 * 60_000;

/**
 * Runs on a schedule. Rings all pushes, because a bell or a timer may have been lost. Fails when
 * anything is stuck, so that the alarm on the function's errors fires.
 */
export const handler = async (): Promise<object> => {
  const { stuck, ...swept } = await ledger.sweep({
    budgetMs: BUDGET_MS - EXPORTS_MS - ERASURES_MS,
  });
  const failed = await ledger.sweepExports({ budgetMs: EXPORTS_MS });
  const notErased = await ledger.sweepErasures({ budgetMs: ERASURES_MS });
  const rung = bells === undefined ? [] : await ledger.listPushes();
  await bells?.send(rung.map((bell) => ({ bell, delaySeconds: 0 })));
  metricsLog.flush();
  logLine({ level: "INFO", ...swept, stuck: stuck.length });
  for (const error of [...failed, ...notErased])
    logLine({ level: "ERROR", ...describeError(error) });
  for (const { error, ...place } of stuck) {
    logLine({ level: "ERROR", ...place, ...describeError(error) });
  }
  if (stuck.length > 0)
    throw new Error(`${stuck.length} partition(s) or deleted streams are stuck`);
  if (failed.length > 0) throw new Error(`${failed.length} export(s) are stuck`);
  if (notErased.length > 0) throw new Error(`${notErased.length} erasure(s) are stuck`);
  return swept;
};
