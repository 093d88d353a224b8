import { type Lag, LIMITS } from "@eventledger/protocol";
import { LedgerError } from "../kernel/error.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";
import type { Subscriptions } from "./subscriptions.ts";

/**
 * How far a stream's subscriptions are behind, the first ones by name: as many as a bounded number of
 * positions allows, because every position may cost a few reads.
 */
export async function loadLags(
  { table, subscriptions }: { readonly table: Table; readonly subscriptions: Subscriptions },
  stream: LiveStream,
): Promise<{ name: string; lag: Lag }[]> {
  const most = Math.max(1, Math.floor(LIMITS.streamPositionsMax / stream.partitions));
  const rows = await loadFirst(table, stream, most);
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

/** A page may hold fewer than it was asked for and not be the last. */
async function loadFirst(
  table: Table,
  { name, uid }: LiveStream,
  most: number,
): Promise<SubscriptionRow[]> {
  const rows: SubscriptionRow[] = [];
  for (let after: string | null | undefined; after !== null && rows.length < most; ) {
    const page = await table.subscriptions.list(name, uid, most - rows.length, after);
    rows.push(...page.subscriptions);
    after = page.next;
  }
  return rows;
}
