import type { Clock } from "../kernel/clock.ts";
import { mapInParallel } from "../kernel/in-parallel.ts";
import type { Crowding } from "../model/crowding.ts";
import { chainsIn, lastEpoch, type Partitioned } from "../model/epochs.ts";
import type { Life, ScopedName } from "../model/names.ts";
import type { Table } from "../table/table.ts";
import { type GrowthRule, isDue, planGrowth } from "./growth-plan.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly observeCompaction?: { grows?(): void } | undefined;
  readonly growthRule?: GrowthRule | undefined;
};

/** What a stream's row says about its growth. `auto`: it grows by itself. */
export type Growable = {
  readonly name?: ScopedName;
  readonly uid?: string;
  readonly auto?: true;
  readonly growing?: number;
};

const READS_AT_ONCE = 16;

/**
 * Lets a stream have more partitions if its writers wait for each other in half of those that it
 * has. It only records the number in the stream's row, on condition that the partitions have not
 * changed meanwhile. Publishers and sweeps then lead the stream on, as after any such change. A
 * failure is ignored, because the next minute decides again.
 */
export async function growIfCrowded(
  { table, clock, observeCompaction, growthRule }: Deps,
  stream: Partitioned & Growable & { readonly life: Life },
  {
    before,
    after,
  }: { readonly before?: Crowding | undefined; readonly after?: Crowding | undefined },
): Promise<void> {
  const { name, uid, life } = stream;
  if (stream.auto !== true || name === undefined || uid === undefined) return;
  if (after === undefined || !isDue(before, after, growthRule)) return;
  try {
    const chains = chainsIn(lastEpoch(stream));
    const checkpoints = await mapInParallel(chains, READS_AT_ONCE, (partition) =>
      table.checkpoints.load(life, partition),
    );
    const crowdings = checkpoints.map((checkpoint) => checkpoint?.crowding);
    const partitions = planGrowth(stream, crowdings, clock.now(), growthRule);
    if (partitions === undefined) return;
    const row = { name, uid, ...(stream.epochs === undefined ? {} : { epochs: stream.epochs }) };
    const turning = await table.streams.turnTo(row, partitions, { ifAuto: true });
    if (turning !== undefined) observeCompaction?.grows?.();
  } catch {
    return;
  }
}
