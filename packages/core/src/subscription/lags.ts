import { type Lag, LIMITS } from "@eventledger/protocol";
import { LedgerError } from "../kernel/error.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { Table } from "../table/table.ts";
import { type Covers, listCovered } from "./covered.ts";
import type { Subscriptions } from "./subscriptions.ts";

/**
 * How far a stream's subscriptions are behind, the first ones by name: as many as a bounded number of
 * positions allows, because every position may cost a few reads.
 */
export async function loadLags(
  { table, subscriptions }: { readonly table: Table; readonly subscriptions: Subscriptions },
  stream: LiveStream,
  covers: Covers,
): Promise<{ name: string; lag: Lag }[]> {
  const most = Math.max(1, Math.floor(LIMITS.streamPositionsMax / stream.partitions));
  const { subscriptions: rows } = await listCovered(table, stream, covers, { limit: most });
  const lags = await Promise.all(
    rows.map(async ({ name }) => {
      try {
        const state = await subscriptions.load(stream, name);
        return [{ name, lag: await subscriptions.lag(stream, state) }];
      } catch (error) {
        // Deleted since it was listed.
        if (error instanceof LedgerError && error.code === "subscription-not-found") return [];
        throw error;
      }
    }),
  );
  return lags.flat();
}
