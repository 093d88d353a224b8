import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { HOUR_MS } from "../kernel/time.ts";
import { PHYSICAL_SLACK_MS } from "../log/guard.ts";
import { seekBatch, seekKeptTime } from "../log/read/seek.ts";
import type { Life } from "../model/names.ts";
import { CLOCKS_APART_MS, type Sightings } from "../model/sightings.ts";
import { type Batch, lastsUntil } from "../table/batch.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";
import { listBeforeFloor } from "./list-often.ts";
import { planFloor } from "./pin-plan.ts";

/** How often a check without a move is recorded. The checks that depend on it allow days. */
const NOTE_AGE_MS = 6 * HOUR_MS;

type FloorDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly sightings?: Sightings | undefined;
};

type Retained = {
  readonly life: Life;
  readonly compaction: "key" | "none";
  readonly retentionHours: number;
};

/**
 * Moves the floor of a partition up to the first batch inside the retention, within the limits of
 * compaction, the archive and open bootstraps. The checkpoint is read first and may have moved on
 * when the floor is written. Pins taken in between are at that checkpoint or above it, so never
 * below the floor. Returns whether the floor moved. Without a move, the time of the check is still
 * recorded from time to time.
 */
export async function moveFloor(
  deps: FloorDeps,
  { life, compaction, retentionHours }: Retained,
  partition: number,
): Promise<boolean> {
  const { table, clock } = deps;
  const checkpoint = await table.checkpoints.load(life, partition);
  const nowMs = clock.now();
  if (checkpoint === undefined) return false;
  const { floor, floorAt, next } = checkpoint;
  const since = { keptSince: nowMs - retentionHours * HOUR_MS, nowMs };
  const found = await findFloor(deps, { life, partition, checkpoint }, since);
  const place = { partition, floor: found, next };
  const target = found === floor ? floor : await listBeforeFloor(deps, { life, compaction }, place);
  if (target === floor && Math.abs(nowMs - floorAt) < NOTE_AGE_MS) return false;
  const to = { floor: target, floorAt: nowMs };
  const { archiving = false } = checkpoint;
  const raised = await table.checkpoints.raiseFloor(life, partition, { next, archiving }, to);
  return raised && target > floor;
}

/**
 * Finds the place of the floor, which respects two retentions: the stream's current one, and the
 * one that a batch was written with. The row of a batch is removed 30 days after the latter,
 * whatever the stream's retention is now. The search is skipped if the floor cannot move, or if its
 * batch is still kept. Times of batches come from other clocks. A batch that this process has not
 * itself seen for its whole retention is kept longer by the allowed clock skew, so none is removed
 * early.
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
  const isKept = (batch: Batch) => batch.publishedAt >= keptSince && isPromised(batch, nowMs);
  if (oldest?.first === floor && isKept(oldest)) return floor;
  const promised = await seekBatch(deps, life, partition, (batch) => isPromised(batch, nowMs));
  const plan = (edge: number) => planFloor(checkpoint, Math.max(edge, promised.next), nowMs);
  const passed = await seekKeptTime(deps, life, partition, keptSince);
  const seen = deps.sightings?.endAt(life, partition, keptSince) ?? 1;
  if (seen >= passed.next) return plan(passed.next);
  const surely = await seekKeptTime(deps, life, partition, keptSince - CLOCKS_APART_MS);
  return plan(Math.max(seen, surely.next));
}

/**
 * Returns whether a batch is still kept by the retention that it was written with. Expiry times
 * never decrease along a chain, so all later batches are then kept too.
 */
function isPromised(batch: Batch, nowMs: number): boolean {
  const until = lastsUntil(batch);
  return until === undefined || until * 1_000 - PHYSICAL_SLACK_MS > nowMs - CLOCKS_APART_MS;
}
