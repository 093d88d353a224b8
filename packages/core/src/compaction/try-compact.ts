import { takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { InvariantError } from "../kernel/invariant.ts";
import type { Life, ScopedName } from "../model/names.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import { compactPartition, type PartitionCompaction } from "./compact.ts";
import type { CompactDeps } from "./compact-deps.ts";
import { SectionTooOld } from "./section-age.ts";

/**
 * A partition (or, without `partition`, the end of a life) that failed, and the number of its
 * consecutive failures. `code` is the code of the problem, `paused` for a run that was frozen, or
 * `invariant` for damage.
 */
export type Stuck = {
  readonly stream: ScopedName;
  readonly partition?: number;
  readonly code: string;
  readonly failures: number;
  readonly error: unknown;
};

type SweptStream = Pick<
  StreamRow,
  "name" | "uid" | "compaction" | "retentionHours" | "partitions" | "epochs" | "auto" | "growing"
> & {
  readonly life: Life;
};

/**
 * Compacts one partition. A failure becomes a result and is counted in the checkpoint. The next
 * success resets the count. For a deleted partition, the result is that nothing is left to do.
 */
export async function tryCompact(
  deps: CompactDeps,
  stream: SweptStream,
  partition: number,
  budgetMs: number,
): Promise<PartitionCompaction | Stuck> {
  try {
    const began = takeStamp(deps.clock);
    return await compactPartition(deps, stream, partition, { began, budgetMs });
  } catch (error) {
    if (isGone(error)) return { events: 0, keys: 0, done: true, remaining: 0, compactedThrough: 0 };
    const failures = await countFailure(deps, stream, partition);
    return { stream: stream.name, partition, code: codeOf(error), failures, error };
  }
}

/**
 * If the counter cannot be written, the failure counts as the first one. A broken counter must not
 * hide the failures that it counts.
 */
async function countFailure(
  { table }: CompactDeps,
  { life }: SweptStream,
  partition: number,
): Promise<number> {
  try {
    return await table.checkpoints.countFailure(life, partition);
  } catch {
    return 1;
  }
}

/** Returns whether an error says that the life has ended. */
export const isGone = (error: unknown): boolean =>
  error instanceof LedgerError && error.code === "stream-not-found";

/** Returns the code by which a failure is reported: see `Stuck`. */
export function codeOf(error: unknown): string {
  if (error instanceof LedgerError) return error.code;
  if (error instanceof SectionTooOld) return "paused";
  return error instanceof InvariantError ? "invariant" : "internal";
}
