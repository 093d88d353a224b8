import { createBounded } from "../../kernel/bounded.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import type { Batch } from "../../table/batch.ts";

/** How many batches a read has seen, and the events in them. */
export type SeenBatches = { readonly batches: number; readonly events: number };

const PARTITIONS_MAX = 10_000;
/** The default when nothing is known: enough for a log that is read to its end again and again. */
const ROWS_UNKNOWN = 2;
/** DynamoDB answers a megabyte at most, which is fewer rows than this unless they are tiny. */
const ROWS_MAX = 512;

/**
 * Remembers for each partition how many events its batches hold, so that a read asks for about as
 * many batches as it delivers. DynamoDB charges for each row that a query passes, with its payload.
 */
export function createBatchSizes() {
  const seen = createBounded<SeenBatches>(PARTITIONS_MAX);
  const nameOf = (life: Life, partition: number) => `${life}#${partition}`;
  return {
    recall: (life: Life, partition: number) => seen.get(nameOf(life, partition)),
    learn(life: Life, partition: number, rows: readonly Batch[]): void {
      const count = countBatches(rows);
      if (count.batches > 0) seen.set(nameOf(life, partition), count);
    },
  };
}

export type BatchSizes = ReturnType<typeof createBatchSizes>;

function countBatches(rows: readonly Batch[]): SeenBatches {
  const batches = rows.filter(({ kind }) => kind === undefined);
  return { batches: batches.length, events: batches.reduce((sum, { count }) => sum + count, 0) };
}

/**
 * Returns how many rows to ask for so that they hold `events` events, going by the batches that
 * were seen last. A position inside a batch shows how large that one is at least. Pure.
 */
export function rowsFor(
  events: number,
  seen: SeenBatches | undefined,
  { batch, next }: Position,
): number {
  const atLeast = next > batch ? { batches: 1, events: next - batch + 1 } : undefined;
  const known = seen ?? atLeast;
  if (known === undefined) return ROWS_UNKNOWN;
  return Math.min(ROWS_MAX, Math.max(1, Math.ceil((events * known.batches) / known.events)));
}
