/**
 * Compacts all streams of a table again and again, until it is killed. Tells after each sweep how
 * many events that compacted.
 *
 * node bootstrap-churn-compactor.ts <endpoint> <table>
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../stack/local-aws.ts";

const [endpoint = "", tableName = ""] = process.argv.slice(2);
const PAUSE_MS = 20;

/** One sweep. The first says only that the process has started. */
export type CompactorNews = { readonly compactedEvents: number };

const { ledger } = openLedger({
  ...{ endpoint, region: LOCAL_REGION, tableName },
  ...{ adminKey: "none", cursorKey: "none" },
});
const tell = (news: CompactorNews) => process.send?.(news);

tell({ compactedEvents: 0 });
process.on("disconnect", () => process.exit());
for (;;) {
  const { compactedEvents, stuck } = await ledger.sweep();
  for (const { code, error } of stuck) console.error(`The compactor is stuck: ${code}`, error);
  if (compactedEvents > 0) tell({ compactedEvents });
  await sleep(PAUSE_MS);
}
