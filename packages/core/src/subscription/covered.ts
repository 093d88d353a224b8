import type { LiveStream } from "../stream/streams.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";

/** Whether a subscription exists for the caller. */
export type Covers = (row: {
  readonly name: string;
  readonly config: { readonly filter?: SubscriptionRow["config"]["filter"] };
}) => boolean;

/** Rows looked at once more, where few of them may be shown. */
const LOOK_ON = 500;

/**
 * Up to `limit` subscriptions by name after `after`, of those that are covered. Looks on until
 * there is one more or no more: `next` is the last of the page, so a cursor names nothing that is
 * not shown.
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
