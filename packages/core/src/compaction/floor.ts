import type { Clock } from "../kernel/clock.ts";
import type { Life } from "../kernel/names.ts";
import { CLOCKS_APART_MS, type Sightings } from "../kernel/sightings.ts";
import { seekTime } from "../log/seek.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";
import { planFloor } from "./compaction-plan.ts";

const HOUR_MS = 3_600_000;
/** That nothing had to be moved is noted this often; what rests on it allows days. */
const NOTE_AGE_MS = 6 * HOUR_MS;

type FloorDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly sightings?: Sightings | undefined;
};

type Retained = { readonly life: Life; readonly retentionHours: number };

/**
 * Moves the floor of a partition up to the first batch inside the retention, as far as compaction and
 * open bootstraps allow. The checkpoint is read first and must be the same when the floor is written:
 * pins taken in between then lie at that checkpoint, above the floor. Returns whether it moved; also
 * when it does not, its time is noted now and then.
 */
export async function moveFloor(
  deps: FloorDeps,
  { life, retentionHours }: Retained,
  partition: number,
): Promise<boolean> {
  const { table, clock } = deps;
  const checkpoint = await table.checkpoints.load(life, partition);
  const nowMs = clock.now();
  if (checkpoint === undefined) return false;
  const { floor, floorAt, next, lookedAt } = checkpoint;
  const since = { keptSince: nowMs - retentionHours * HOUR_MS, nowMs };
  const target = await findFloor(deps, { life, partition, checkpoint }, since);
  if (target === floor && Math.abs(nowMs - floorAt) < NOTE_AGE_MS) return false;
  const to = { floor: target, floorAt: nowMs, lookedAt };
  return (await table.checkpoints.move(life, partition, next, to)) && target > floor;
}

/**
 * Where the floor belongs. The search is spared where it cannot move, or its batch is kept still. Times
 * of batches are those of other clocks: what this process has not itself seen for as long as it is
 * kept goes later by what clocks may be apart, so that none goes before its own time.
 */
async function findFloor(
  deps: FloorDeps,
  { life, partition, checkpoint }: { life: Life; partition: number; checkpoint: Checkpoint },
  { keptSince, nowMs }: { keptSince: number; nowMs: number },
): Promise<number> {
  const { floor, next } = checkpoint;
  if (planFloor(checkpoint, next, nowMs) === floor) return floor;
  const { batches } = await deps.table.batches.loadFrom(life, partition, floor, 1);
  const [oldest] = batches;
  if (oldest?.first === floor && oldest.publishedAt >= keptSince) return floor;
  const passed = await seekTime(deps, life, partition, keptSince);
  const seen = deps.sightings?.endAt(life, partition, keptSince) ?? 1;
  if (seen >= passed.next) return planFloor(checkpoint, passed.next, nowMs);
  const surely = await seekTime(deps, life, partition, keptSince - CLOCKS_APART_MS);
  return planFloor(checkpoint, Math.max(seen, surely.next), nowMs);
}
