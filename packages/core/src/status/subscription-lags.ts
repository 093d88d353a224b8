import type { Lag } from "@eventledger/protocol";
import { LedgerError } from "../kernel/error.ts";
import { mapInParallel } from "../kernel/in-parallel.ts";
import { measuredTogether } from "../kernel/list-page.ts";
import { chainCount } from "../model/epochs.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { type Covers, listCovered } from "../subscription/covered.ts";
import type { Subscriptions } from "../subscription/subscriptions.ts";
import type { Table } from "../table/table.ts";
import { measuredAtOnce } from "./subscription-info.ts";

/**
 * Returns the lag of a stream's first subscriptions by name. Every position may cost a few reads,
 * so the total number of positions is bounded.
 */
export async function loadLags(
  { table, subscriptions }: { readonly table: Table; readonly subscriptions: Subscriptions },
  stream: LiveStream,
  covers: Covers,
): Promise<{ name: string; lag: Lag }[]> {
  const limit = measuredAtOnce(stream);
  const { subscriptions: rows } = await listCovered(table, stream, covers, { limit });
  const lags = await mapInParallel(rows, measuredTogether(chainCount(stream)), async (row) => {
    try {
      const state = await subscriptions.refresh(stream, { row });
      return [{ name: row.name, lag: await subscriptions.lag(stream, state) }];
    } catch (error) {
      // The subscription was deleted after it was listed.
      if (error instanceof LedgerError && error.code === "subscription-not-found") return [];
      throw error;
    }
  });
  return lags.flat();
}
