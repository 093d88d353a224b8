import type { LiveStream } from "../stream/live-streams.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";

/** Returns whether a subscription exists for the caller. */
export type Covers = (row: {
  readonly name: string;
  readonly config: { readonly filter?: SubscriptionRow["config"]["filter"] };
}) => boolean;

/** The number of further rows per query, if few of them are visible to the caller. */
const LOOK_ON = 500;

/**
 * Returns up to `limit` covered subscriptions by name after `after`. It reads on until it finds one
 * more or none is left. `next` is the last name of the page, so a cursor names only visible
 * subscriptions.
 */
export async function listCovered(
  table: Table,
  stream: LiveStream,
  covers: Covers,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): Promise<{ subscriptions: SubscriptionRow[]; next: string | null }> {
  const found: SubscriptionRow[] = [];
  let from: string | null | undefined = after;
  for (let look = limit + 1; found.length <= limit && from !== null; look = LOOK_ON) {
    const page = await table.subscriptions.list(stream.name, stream.uid, look, from);
    found.push(...page.subscriptions.filter(covers));
    from = page.next;
  }
  const subscriptions = found.slice(0, limit);
  const next = found.length > limit ? (subscriptions.at(-1)?.name ?? null) : null;
  return { subscriptions, next };
}
