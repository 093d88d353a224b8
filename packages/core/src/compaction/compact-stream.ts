import type { CompactReceipt } from "@eventledger/protocol";
import { takeStamp } from "../kernel/clock.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { loadEnd } from "../log/end.ts";
import { chainsIn, epochsOf } from "../model/epochs.ts";
import { compactPartition, type PartitionCompaction } from "./compact.ts";
import type { Compactable, CompactDeps } from "./compact-deps.ts";
import { SectionTooOld } from "./section-age.ts";

const PARTITIONS_AT_ONCE = 8;

/**
 * Brings a stream's compacted state up to its current end, within `budgetMs`. `done` is true if it
 * got there. Throws the error of the first partition that failed. The other partitions may have
 * moved on.
 */
export async function compactStream(
  deps: CompactDeps,
  stream: Compactable,
  { budgetMs }: { budgetMs: number },
): Promise<CompactReceipt> {
  const began = takeStamp(deps.clock);
  let compactedEvents = 0;
  let keys = 0;
  let remaining = 0;
  let oldest = Infinity;
  const compactOne = async (partition: number) => {
    const result = await compactPartition(deps, stream, partition, { began, budgetMs }).catch(
      (error: unknown) => leftOff(deps, stream, partition, error),
    );
    compactedEvents += result.events;
    keys += result.keys;
    remaining += result.remaining;
    if (!result.done) oldest = Math.min(oldest, result.compactedThrough);
  };
  for (const epoch of epochsOf(stream)) {
    await inParallel(chainsIn(epoch), PARTITIONS_AT_ONCE, compactOne);
  }
  const seconds = oldest === Infinity ? 0 : Math.max(0, deps.clock.now() - oldest) / 1_000;
  return {
    compactedEvents,
    keys,
    watermarkLag: { events: remaining, seconds },
    done: remaining === 0,
  };
}

/**
 * On a very slow store, a section may become too old after the checkpoint has moved part of the
 * way. Then more remains.
 */
async function leftOff(
  deps: CompactDeps,
  { life }: Compactable,
  partition: number,
  error: unknown,
): Promise<PartitionCompaction> {
  if (!(error instanceof SectionTooOld)) throw error;
  const { next, checkpoint } = await loadEnd(deps, life, partition);
  const { compactedThrough } = checkpoint;
  const remaining = next - checkpoint.next;
  return { events: 0, keys: 0, done: remaining === 0, remaining, compactedThrough };
}
