/**
 * Compacts all streams of a table repeatedly until it is killed. Reports when a sweep begins and
 * when it has ended.
 *
 * node bootstrap-churn-compactor.ts <endpoint> <table>
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openLedger } from "../../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../../packages/local/src/local-aws.ts";

const [endpoint = "", tableName = ""] = process.argv.slice(2);
const PAUSE_MS = 20;

/** Sent when a sweep begins, and when it has ended. */
export type CompactorNews = { readonly sweeping: boolean };

const { ledger } = openLedger({
  endpoint,
  region: LOCAL_REGION,
  tableName,
  adminKey: "none",
  cursorKey: "none",
});
const tell = (progress: CompactorNews) => process.send?.(progress);

process.on("disconnect", () => process.exit());
for (;;) {
  tell({ sweeping: true });
  const { stuck } = await ledger.sweep();
  for (const { code, error } of stuck) console.error(`The compactor is stuck: ${code}`, error);
  tell({ sweeping: false });
  await sleep(PAUSE_MS);
}
