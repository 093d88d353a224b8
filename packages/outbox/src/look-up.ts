import { asClientError, type LedgerClient, streamPath } from "./client.ts";
import type { OutboxRow } from "./event.ts";
import type { Batch } from "./store.ts";

type Seen = { readonly id: string };
type Page = {
  readonly events: readonly Seen[];
  readonly cursor: string;
  readonly caughtUp: boolean;
};

/** The maximum difference between the clocks of the database and the ledger. */
const CLOCKS_MS = 3_600_000;

/**
 * Returns whether the ledger has a batch. A batch is written whole or not at all, so one of its
 * events is proof. The log is read from before the batch was named. If it no longer reaches back
 * that far, the current state of the key shows the event, because later events of the key wait for
 * this batch.
 */
export async function isPublished(
  ledger: LedgerClient,
  stream: string,
  { ageMs, rows }: Batch,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const row = rows.findLast(({ data }) => data !== "null") ?? rows.at(-1);
  if (row === undefined) return true;
  const path = streamPath(stream);
  let from = new Date(Date.now() - ageMs - CLOCKS_MS).toISOString();
  try {
    for (;;) {
      const query = { key: row.key, from, limit: 1_000 };
      const page = await ledger.request<Page>({
        method: "GET",
        path: `${path}/events`,
        query,
        signal,
      });
      if (page.events.some(({ id }) => id === row.id)) return true;
      if (page.caughtUp) break;
      from = page.cursor;
    }
  } catch (error) {
    if (asClientError(error).code !== "retention-passed") throw error;
  }
  return isCurrent(ledger, stream, row, signal);
}

async function isCurrent(
  ledger: LedgerClient,
  stream: string,
  { key, id }: OutboxRow,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const path = `${streamPath(stream)}/compacted`;
  try {
    const state = await ledger.request<Seen>({ method: "GET", path, query: { key }, signal });
    return state.id === id;
  } catch (error) {
    const { code } = asClientError(error);
    if (code === "key-not-found" || code === "not-compacted") return false;
    throw error;
  }
}
