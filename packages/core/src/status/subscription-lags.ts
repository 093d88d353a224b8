import type { Lag } from "@eventledger/protocol";
import type { LiveStream } from "../stream/live-streams.ts";
import { type Covers, listCovered } from "../subscription/covered.ts";
import type { Subscriptions } from "../subscription/subscriptions.ts";
import type { Table } from "../table/table.ts";
import { measuredAtOnce } from "./subscription-info.ts";

/**
 * Returns the lag of a stream's first subscriptions by name. Every position has to be read, so the
 * total number of positions is bounded.
 */
export async function loadLags(
  { table, subscriptions }: { readonly table: Table; readonly subscriptions: Subscriptions },
  stream: LiveStream,
  covers: Covers,
): Promise<{ name: string; lag: Lag }[]> {
  const limit = measuredAtOnce(stream);
  const { subscriptions: rows } = await listCovered(table, stream, covers, { limit });
  const states = await subscriptions.refreshAll(stream, rows);
  const lags = await subscriptions.lags(stream, states);
  return states.flatMap(({ row: { name } }, index) => {
    const lag = lags[index];
    return lag === undefined ? [] : [{ name, lag }];
  });
}
