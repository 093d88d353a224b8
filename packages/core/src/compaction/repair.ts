import { takeStamp } from "../kernel/clock.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { loadEnd } from "../log/end.ts";
import { PHYSICAL_SLACK_MS } from "../log/guard.ts";
import type { HourTally } from "../model/usage.ts";
import { isLast } from "../table/batch.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Compactable, CompactDeps } from "./compact.ts";
import { emptySection, extendSection, planRows } from "./compaction-plan.ts";
import { countHours, keepHours } from "./usage.ts";

/**
 * A number that exceeds the events that can be written between the last check and the stop of
 * publishing: a hundred thousand events a second for a week. The number range has room for a
 * thousand repairs.
 */
const JUMP = 100_000_000_000;
const ROWS = 100;
const PUTS_AT_ONCE = 16;

/**
 * Repairs the numbering of a partition that was not checked for 30 days. Events written since then
 * may have expired, so the last remaining number may not be the last used one. The remaining events
 * are compacted, with their gaps. Numbering then continues far above any number that can have been
 * used. Everything below is past its retention, so readers get an error instead of skipping events.
 * No publish can interfere, because publishing refuses such a partition. Returns the first new
 * number, or undefined when the partition is not at risk. May be repeated after a crash.
 */
export async function repairNumbering(
  { table, clock }: CompactDeps,
  stream: Compactable,
  partition: number,
): Promise<number | undefined> {
  const { life } = stream;
  const end = await loadEnd({ table, clock }, life, partition);
  const { checkpoint } = end;
  const { wallMs } = takeStamp(clock);
  if (wallMs - checkpoint.checkedAt <= PHYSICAL_SLACK_MS) return undefined;
  const rest = await compactRest({ table, clock }, stream, partition, checkpoint);
  const total = checkpoint.events + rest.events;
  const of = { ...stream, partition, checkpoint, total };
  const usage = await keepHours({ table }, of, rest.hours, { nowMs: wallMs, all: true });
  // Nothing was written after a turn, and it does not expire.
  const next = end.turned ? end.next : end.next + JUMP;
  const moved = await table.checkpoints.move(life, partition, checkpoint.next, {
    next,
    floor: next,
    floorAt: wallMs,
    checkedAt: wallMs,
    compactedThrough: wallMs,
    events: total,
    usage,
    failures: 0,
  });
  return moved ? next : undefined;
}

/** Compacts and counts everything after the checkpoint, in order, across gaps. */
async function compactRest(
  { table, clock }: CompactDeps,
  { life, compaction }: Compactable,
  partition: number,
  { next: from, usage = [] }: Checkpoint,
): Promise<{ readonly events: number; readonly hours: readonly HourTally[] }> {
  let events = 0;
  let hours = usage;
  for (let at = from; ; ) {
    const { batches, more } = await table.batches.loadFrom(life, partition, at, ROWS);
    for (const batch of batches) {
      if (isLast(batch)) continue;
      const keepKeys = compaction === "key";
      const section = extendSection(emptySection(batch.first), [batch], { keepKeys });
      events += section.events;
      hours = countHours(hours, section, { after: batch.first, to: section.to });
      at = section.to;
      const rows = planRows(section, { partition, nowMs: clock.now() });
      await inParallel(rows, PUTS_AT_ONCE, async (row) => {
        await table.compacted.putIfNewer(life, [row]);
      });
    }
    if (!more) return { events, hours };
  }
}
