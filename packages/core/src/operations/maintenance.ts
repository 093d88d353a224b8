import type { CompactReceipt } from "@eventledger/protocol";
import { removeArchivePage } from "../archive/remove-archive.ts";
import { visitArchive } from "../archive/visit.ts";
import { compactStream } from "../compaction/compact-stream.ts";
import { type RingResult, ring } from "../compaction/doorbell.ts";
import { repairNumbering } from "../compaction/repair.ts";
import { completeRestore, type Restoration } from "../compaction/restore.ts";
import { type SweepResult, sweep } from "../compaction/sweep.ts";
import { repeatErasures } from "../erasure/repeat-erasures.ts";
import { ageMs, takeStamp } from "../kernel/clock.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import { chainsOf } from "../model/epochs.ts";
import { defaultTenant, type ScopedName, scopeName, type Tenant } from "../model/names.ts";
import { measureCompactionLag } from "../status/compaction-lag.ts";
import type { Parts } from "./parts.ts";

/** The time for compaction in a request. The request must be answered within 30 s. */
const COMPACT_BUDGET_MS = 15_000;
const RUN_BUDGET_MS = MINUTE_MS;

/** Compaction, sweeps, restores and repairs, for operators and the scheduled functions. */
export function maintenanceOperations(parts: Parts) {
  const { table, streams, subscriptions, log } = parts;
  return {
    /**
     * Resolves when the table can be read and no known reason prevents writes. It does not write.
     * Otherwise it throws the reason.
     */
    async checkTable(): Promise<void> {
      await parts.assertWritable();
      await table.streams.load(scopeName(defaultTenant, "-"));
    },

    /** Brings the compacted state up to the current end of the stream, within the time budget. */
    async compact(
      tenant: Tenant,
      name: string,
      budget: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<CompactReceipt> {
      return compactStream(parts, await streams.load(tenant, name), budget);
    },

    /**
     * Compacts the partitions that a table stream's records name by their partition keys. See
     * `ring`.
     */
    ring: (
      partitionKeys: readonly string[],
      budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS },
    ): Promise<RingResult> => ring(parts, partitionKeys, budget),

    /** Runs the periodic maintenance. See `sweep`. */
    sweep: (budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS }): Promise<SweepResult> =>
      sweep(
        {
          ...parts,
          finishEnd: streams.finishEnd,
          bringOn: log.bringOn,
          visitArchive: (stream, partition, mayGoOn) =>
            visitArchive(parts, stream, partition, mayGoOn),
          removeArchive: (job) => removeArchivePage(parts, job),
        },
        budget,
      ),

    /**
     * For operators: completes a restore of the table, see `completeRestore`. `name` is their name
     * for the restore, needed when the copy has the earlier name of the table.
     */
    completeRestore: (
      name?: string,
      budget: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<Restoration> =>
      completeRestore(
        {
          ...parts,
          repeatErasures: (stream, lost) => repeatErasures(parts, stream, lost),
          forget(stream) {
            streams.forget(stream.name);
            subscriptions.forgetLife(stream.life);
            log.forget(stream.life);
          },
        },
        { name, ...budget },
      ),

    /** See `measureCompactionLag`. */
    compactionLag: (names?: Iterable<ScopedName>): Promise<number> =>
      measureCompactionLag(parts, names),

    /**
     * For operators: makes a stream publishable again after 30 days without a check. See
     * `repairNumbering` for the events that readers lose. Returns the next sequence of each
     * partition that it repaired, and whether none is left to repair.
     */
    async repairNumbering(
      tenant: Tenant,
      name: string,
      { budgetMs }: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<{ repaired: Record<number, number>; done: boolean }> {
      const stream = await streams.load(tenant, name);
      const began = takeStamp(parts.clock);
      const mayGoOn = () => ageMs(parts.clock, began) < budgetMs;
      const repaired: Record<number, number> = {};
      for (const partition of chainsOf(stream)) {
        const result = await repairNumbering(parts, stream, partition, mayGoOn);
        if (result.kind === "cut") return { repaired, done: false };
        if (result.kind === "repaired") repaired[partition] = result.next;
      }
      return { repaired, done: true };
    },
  };
}
