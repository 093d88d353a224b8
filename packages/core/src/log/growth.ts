import type { Clock } from "../kernel/clock.ts";
import { streamNotFound } from "../kernel/error.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import type { Random } from "../kernel/random.ts";
import { chainsIn, type Epoch, epochsOf, lastEpoch } from "../model/epochs.ts";
import type { Life } from "../model/names.ts";
import { firstCheckpoint } from "../table/checkpoint.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import { loadEnd } from "./end.ts";
import { assertMayPublish } from "./guard.ts";
import { type Ended, endPartition } from "./seal.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

const CHAINS_AT_ONCE = 16;

/**
 * A restore with this id may have lost an epoch, or events of it. The next one then starts where
 * `jump` says, and every number before that counts as lost. The lost one began at `from` or below,
 * and not before `seenMs`, in milliseconds since 1970.
 */
export type AfterRestore = {
  readonly id: string;
  readonly jump: (from: number, seenMs: number) => number;
};

/**
 * Leads a stream that turns into its next epoch: each chain of the last one gets its turn, then the
 * stream's row gets the new epoch, together with the checkpoints of its partitions. Each step has a
 * condition on the row that it writes. So any number of processes may do this at the same time, and
 * the next one finishes what a crash has interrupted. Returns false when the stream's row has
 * changed in the meantime. Throws `stream-not-found` and `outcome-unknown`.
 */
export async function bringOn(
  deps: Deps,
  life: Life,
  row: StreamRow,
  after?: AfterRestore,
): Promise<boolean> {
  if (row.growing === undefined) return false;
  const old = lastEpoch(row);
  const ended = new Map<number, Ended>();
  await inParallel(chainsIn(old), CHAINS_AT_ONCE, async (partition) => {
    const isChecked = after !== undefined;
    const end = await endPartition(deps, life, partition, "turn", { isChecked });
    if (end?.kind !== "turn") throw streamNotFound();
    ended.set(partition, end);
  });
  const nowMs = deps.clock.now();
  const planned = planEpochs(row, { growing: row.growing, ended, nowMs });
  const next = lastEpoch({ epochs: planned, partitions: 0 });
  const { first, partitions } = next;
  // A chain that ended only now has jumped before.
  const endedAt = Math.min(...Array.from(ended.values(), ({ publishedAt }) => publishedAt));
  const from = after === undefined ? next.from : after.jump(next.from, endedAt);
  const epochs = [...planned.slice(0, -1), { ...next, from }];
  // A lost epoch may have started anywhere below, so a cursor that names a place there is refused.
  const lost = after === undefined ? {} : { lost: [{ id: after.id, from: 0, to: from }] };
  const checkpoint = firstCheckpoint(from, { nowMs, isArchived: row.archiveDays !== null });
  const checkpoints = Array.from({ length: partitions }, (_, at) => ({
    ...checkpoint,
    ...lost,
    partition: first + at,
  }));
  return deps.table.lifecycle.addEpoch(life, row, epochs, checkpoints);
}

/**
 * Throws `compaction-stalled` or `numbering-at-risk` when a partition of the last epoch cannot get
 * its turn, because nothing can be published to it either. A change that begins then would stop
 * publishing to the other partitions too.
 */
export async function assertMayTurn(
  deps: Pick<Deps, "table" | "clock">,
  life: Life,
  row: StreamRow,
): Promise<void> {
  await inParallel(chainsIn(lastEpoch(row)), CHAINS_AT_ONCE, async (partition) => {
    const end = await loadEnd(deps, life, partition);
    if (!end.turned) assertMayPublish(end, deps.clock.now());
  });
}

/**
 * Returns the epochs of a stream with the next one. It starts above all ends of the last one, so
 * that the sequences of each key go on rising. Pure.
 */
export function planEpochs(
  row: Pick<StreamRow, "epochs" | "partitions">,
  {
    growing,
    ended,
    nowMs,
  }: {
    readonly growing: number;
    readonly ended: ReadonlyMap<number, Pick<Ended, "next" | "publishedAt">>;
    readonly nowMs: number;
  },
): Epoch[] {
  const known = epochsOf(row);
  const old = lastEpoch(row);
  const turns = chainsIn(old).map((partition) => ended.get(partition));
  const ends = turns.map((turn) => turn?.next ?? old.from);
  const next: Epoch = {
    first: old.first + old.partitions,
    partitions: growing,
    from: Math.max(old.from, ...ends) + 1,
    at: Math.max(nowMs, old.at, ...turns.map((turn) => turn?.publishedAt ?? 0)),
  };
  return [...known.slice(0, -1), { ...old, ends }, next];
}
