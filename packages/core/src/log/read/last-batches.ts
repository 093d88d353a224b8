import { createBounded } from "../../kernel/bounded.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import type { BatchOutline } from "../../table/batch.ts";
import type { Table } from "../../table/table.ts";

const PARTITIONS_MAX = 10_000;

/** The end of a partition, and its last batch if that had to be read. */
type Last = { readonly next: number; readonly last: BatchOutline | undefined };

/**
 * Finds the ends of partitions, strongly consistent. A batch never changes, so only the batches
 * after the last one that this process has seen, and after the compacted ones, are read. DynamoDB
 * charges for a whole batch even if only its keys are requested.
 */
export function createLastBatches({ table }: { readonly table: Table }) {
  const seen = createBounded<number>(PARTITIONS_MAX);
  return {
    /**
     * Returns the end of a partition at or after a position. `compacted` is the first sequence that
     * is not compacted.
     */
    async load(
      life: Life,
      partition: number,
      { compacted, position }: { readonly compacted: number; readonly position: Position },
    ): Promise<Last> {
      const name = `${life}#${partition}`;
      const known = Math.max(seen.get(name) ?? 0, compacted);
      // Between two batches, nothing before the position tells about the end.
      const from = position.batch === position.next ? Math.max(known, position.next) : known;
      const last = await table.batches.loadLast(life, partition, from);
      if (last === undefined) return { next: from, last };
      const next = last.first + last.count;
      seen.set(name, next);
      return { next, last };
    },
  };
}

export type LastBatches = ReturnType<typeof createLastBatches>;
