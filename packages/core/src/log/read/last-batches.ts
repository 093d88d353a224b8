import { createBounded } from "../../kernel/bounded.ts";
import type { Life } from "../../model/names.ts";
import type { BatchOutline } from "../../table/batch.ts";
import type { Table } from "../../table/table.ts";

const PARTITIONS_MAX = 10_000;

/**
 * Finds the last batch of a partition, strongly consistent. A batch never changes, so only the
 * batches after the last one that this process has seen are read. DynamoDB charges for a whole
 * batch even if only its keys are requested.
 */
export function createLastBatches({ table }: { readonly table: Table }) {
  const seen = createBounded<BatchOutline>(PARTITIONS_MAX);
  return {
    async load(life: Life, partition: number): Promise<BatchOutline | undefined> {
      const name = `${life}#${partition}`;
      const known = seen.get(name);
      const from = known === undefined ? 0 : known.first + known.count;
      const found = await table.batches.loadLast(life, partition, from);
      if (found === undefined) return known;
      seen.set(name, found);
      return found;
    },
  };
}

export type LastBatches = ReturnType<typeof createLastBatches>;
