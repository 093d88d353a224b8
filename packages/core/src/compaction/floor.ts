import type { Clock } from "../kernel/clock.ts";
import type { Life } from "../kernel/names.ts";
import { seekTime } from "../log/seek.ts";
import type { Table } from "../table/table.ts";
import { planFloor } from "./compaction-plan.ts";

const HOUR_MS = 3_600_000;

type Retained = { readonly life: Life; readonly retentionHours: number };

/**
 * Moves the floor of a partition up to the first batch inside the retention, as far as compaction and
 * open bootstraps allow. The checkpoint is read first and must be the same when the floor is written:
 * pins taken in between then lie at that checkpoint, above the floor. Returns whether it moved.
 */
export async function moveFloor(
  { table, clock }: { table: Table; clock: Clock },
  { life, retentionHours }: Retained,
  partition: number,
): Promise<boolean> {
  const checkpoint = await table.checkpoints.load(life, partition);
  const nowMs = clock.now();
  if (checkpoint === undefined) return false;
  const { floor, next, lookedAt } = checkpoint;
  if (planFloor(checkpoint, next, nowMs) === floor) return false;
  const keptSince = nowMs - retentionHours * HOUR_MS;
  const { batches } = await table.batches.loadFrom(life, partition, floor, 1);
  const [oldest] = batches;
  if (oldest?.first === floor && oldest.publishedAt >= keptSince) return false;
  const edge = await seekTime({ table, clock }, life, partition, keptSince);
  const target = planFloor(checkpoint, edge.next, nowMs);
  if (target === floor) return false;
  return table.checkpoints.move(life, partition, next, { floor: target, lookedAt });
}
