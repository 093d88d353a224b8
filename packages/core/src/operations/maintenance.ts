import type { CompactReceipt } from "@eventledger/protocol";
import { compactStream } from "../compaction/compact-stream.ts";
import { type RingResult, ring } from "../compaction/doorbell.ts";
import { repairNumbering } from "../compaction/repair.ts";
import { completeRestore, type Restoration } from "../compaction/restore.ts";
import { type SweepResult, sweep } from "../compaction/sweep.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import { defaultTenant, type ScopedName, scopeName, type Tenant } from "../model/names.ts";
import { measureCompactionLag } from "../status/compaction-lag.ts";
import type { Parts } from "./parts.ts";

/** A request must be answered within 30 s. */
const COMPACT_BUDGET_MS = 15_000;
const RUN_BUDGET_MS = MINUTE_MS;

/** Compaction, sweeps, restores and repairs: what operators and the scheduled functions ask for. */
export function maintenanceOperations(parts: Parts) {
  const { table, streams, subscriptions, log } = parts;
  return {
    /**
     * Answers when the table can be read, and takes writes as far as is known without writing.
     * Throws what prevents that otherwise.
     */
    async checkTable(): Promise<void> {
      await parts.assertWritable();
      await table.streams.load(scopeName(defaultTenant, "-"));
    },

    /** Brings the compacted state up to the end of the stream now, as far as the time goes. */
    async compact(
      tenant: Tenant,
      name: string,
      budget: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<CompactReceipt> {
      return compactStream(parts, await streams.load(tenant, name), budget);
    },

    /** Compacts what the partition keys of a table stream's records point to: see `ring`. */
    ring: (
      partitionKeys: readonly string[],
      budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS },
    ): Promise<RingResult> => ring(parts, partitionKeys, budget),

    /** Whatever needs doing from time to time: see `sweep`. */
    sweep: (budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS }): Promise<SweepResult> =>
      sweep({ ...parts, finishEnd: streams.finishEnd }, budget),

    /**
     * For operators: completes a restore of the table, see `completeRestore`. `name` is what they
     * call it, where the copy has the name that the table had before.
     */
    completeRestore: (
      name?: string,
      budget: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<Restoration> =>
      completeRestore(
        {
          ...parts,
          forget(stream) {
            streams.forget(stream.name);
            subscriptions.forgetLife(stream.life);
            log.forget(stream);
          },
        },
        { name, ...budget },
      ),

    /** See `measureCompactionLag`. */
    compactionLag: (names?: Iterable<ScopedName>): Promise<number> =>
      measureCompactionLag(parts, names),

    /**
     * For operators: makes a stream publishable again that was not checked for 30 days. See
     * `repairNumbering` for what readers lose. Answers where each repaired partition goes on.
     */
    async repairNumbering(tenant: Tenant, name: string): Promise<Record<number, number>> {
      const stream = await streams.load(tenant, name);
      const repaired: Record<number, number> = {};
      for (let partition = 0; partition < stream.partitions; partition++) {
        const next = await repairNumbering(parts, stream, partition);
        if (next !== undefined) repaired[partition] = next;
      }
      return repaired;
    },
  };
}
