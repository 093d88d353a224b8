import { openMetricsLog } from "./metrics/lambda.ts";
import { describeError, logLine } from "./metrics/log-line.ts";
import { openLedger, readConfig } from "./open-ledger.ts";

const config = readConfig(process.env, { serves: false });
const { ledger, metrics } = openLedger(config);
/**
 * Nothing is written of a stage where all is well: an hourly metric costs as much as a busy one.
 */
const metricsLog = openMetricsLog(metrics, {
  ...config,
  names: ["CompactionLagSeconds"],
});

/** Leaves a minute of the function's ten for what is on the way when the time is up. */
const BUDGET_MS = 9 * 60_000;

/** Runs on a schedule. Fails, so that the alarm on its errors rings, when anything is stuck. */
export const handler = async (): Promise<object> => {
  const { stuck, ...swept } = await ledger.sweep({ budgetMs: BUDGET_MS });
  metricsLog.flush();
  logLine({ level: "INFO", ...swept, stuck: stuck.length });
  for (const { error, ...place } of stuck) {
    logLine({ level: "ERROR", ...place, ...describeError(error) });
  }
  if (stuck.length > 0) throw new Error(`${stuck.length} partition(s) or ended streams are stuck`);
  return swept;
};
