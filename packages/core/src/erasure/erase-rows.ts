import { eraseInBatch } from "../log/codec.ts";
import type { StoredEvent } from "../model/event.ts";
import type { Life } from "../model/names.ts";
import { type Batch, isLast } from "../table/batch.ts";
import type { ErasedChain } from "../table/erasure.entity.ts";
import type { Table } from "../table/table.ts";

const ROWS = 100;

/** The events of a key below a sequence. */
export const isOf =
  (key: string, until: number) =>
  (event: Pick<StoredEvent, "key" | "sequence">): boolean =>
    event.key === key && event.sequence < until;

/**
 * Rewrites the batches of one page from `at` on that have events of the key. Every stored batch
 * counts, also those below the floor. Returns where the next page begins, or undefined when there
 * is none. Repeating the call is harmless, also concurrently.
 */
export async function eraseRows(
  { table }: { readonly table: Table },
  life: Life,
  { partition, until }: ErasedChain,
  at: number,
  key: string,
): Promise<number | undefined> {
  const { batches, more } = await table.batches.loadFrom(life, partition, at, ROWS);
  let next = at;
  for (const batch of batches) {
    if (batch.first >= until || isLast(batch)) return undefined;
    await eraseInRow(table, life, partition, batch, isOf(key, until));
    next = batch.first + batch.count;
  }
  return more ? next : undefined;
}

/**
 * Rewrites a batch if it has events to erase. Another erasure may rewrite it at the same time, and
 * the row may expire.
 */
async function eraseInRow(
  table: Table,
  life: Life,
  partition: number,
  known: Batch,
  isMeant: (event: StoredEvent) => boolean,
): Promise<void> {
  for (let batch: Batch | undefined = known; batch !== undefined; ) {
    const erased = eraseInBatch(batch, isMeant);
    if (erased === undefined) return;
    if (await table.batches.replaceEvents(life, partition, batch, erased)) return;
    const { batches } = await table.batches.loadFrom(life, partition, known.first, 1);
    batch = batches.find(({ first }) => first === known.first);
  }
}
