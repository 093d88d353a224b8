import { inParallel } from "../kernel/in-parallel.ts";
import { lifeOf, type ScopedName } from "../model/names.ts";
import type { PartitionCompaction } from "./compact.ts";
import type { CompactDeps } from "./compact-deps.ts";
import { type Stuck, tryCompact } from "./try-compact.ts";

/** The result of a ring. */
export type RingResult = {
  readonly partitions: number;
  readonly compactedEvents: number;
  readonly keys: number;
  readonly stuck: readonly Stuck[];
  /** Streams whose compaction did not finish in time. */
  readonly unfinished: readonly ScopedName[];
  /** Partition keys with a temporary failure. The caller should ring again for them. */
  readonly again: readonly string[];
};

const PARTITIONS_AT_ONCE = 8;
/**
 * These failures pass by themselves: a failing store recovers, and a frozen process resumes. All
 * other failures wait for the sweeper and the operator.
 */
const PASSING = new Set(["store-unavailable", "outcome-unknown", "paused"]);

/**
 * Compacts the partitions that a table stream's records name by their partition keys. Records serve
 * only as hints where to look, so their duplication, reordering and loss do not matter. Keys of
 * other rows and of ended lives are ignored. A partition that cannot be compacted does not delay
 * the others.
 */
export async function ring(
  deps: CompactDeps,
  partitionKeys: readonly string[],
  { budgetMs }: { budgetMs: number },
): Promise<RingResult> {
  const stuck: Stuck[] = [];
  const again: string[] = [];
  const unfinished: ScopedName[] = [];
  let compactedEvents = 0;
  let keys = 0;
  const distinct = new Set(partitionKeys);
  await inParallel(distinct, PARTITIONS_AT_ONCE, async (partitionKey) => {
    const { name, result } = await answer(deps, partitionKey, budgetMs);
    if (result === undefined) return;
    if ("error" in result) {
      stuck.push(result);
      if (PASSING.has(result.code)) again.push(partitionKey);
      return;
    }
    compactedEvents += result.events;
    keys += result.keys;
    if (!result.done) unfinished.push(name);
  });
  return { partitions: distinct.size, compactedEvents, keys, stuck, unfinished, again };
}

/** The partition key of batch records, as `batch.entity.ts` builds it. */
const BATCH_KEY = /^STREAM#(?<name>[^#]+)#(?<uid>[^#]+)#P(?<partition>\d+)$/;

async function answer(
  deps: CompactDeps,
  partitionKey: string,
  budgetMs: number,
): Promise<{ name: ScopedName; result: PartitionCompaction | Stuck | undefined }> {
  const { name: text, uid, partition } = BATCH_KEY.exec(partitionKey)?.groups ?? {};
  const name = (text ?? "") as ScopedName;
  const nothing = { name, result: undefined };
  if (text === undefined || uid === undefined) return nothing;
  const stream = await deps.table.streams.load(name);
  if (stream?.uid !== uid || stream.status !== "live" || stream.copied) return nothing;
  const life = lifeOf(stream.name, uid);
  return { name, result: await tryCompact(deps, { ...stream, life }, Number(partition), budgetMs) };
}
