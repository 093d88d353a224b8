import { takeStamp } from "../kernel/clock.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { loadEnd, type SeenEnd } from "../log/end.ts";
import { PHYSICAL_SLACK_MS } from "../log/guard.ts";
import { isLast } from "../table/batch.ts";
import type { Compactable, CompactDeps } from "./compact-deps.ts";
import { planRows } from "./compaction-plan.ts";
import { emptySection, extendSection } from "./section.ts";
import { assertYoung } from "./section-age.ts";
import { NOT_COUNTED } from "./state-size.ts";
import { countHours, keepHours } from "./usage.ts";

/**
 * A number that exceeds the events that can be written between the last check and the stop of
 * publishing: a hundred thousand events a second for a week. The number range has room for a
 * thousand repairs.
 */
const JUMP = 100_000_000_000;
const BATCHES = 100;
const PUTS_AT_ONCE = 16;

/**
 * `sound`: the partition is not at risk. `cut`: the time is up, and a further call continues.
 * `repaired`: the first new number.
 */
export type Repair =
  | { readonly kind: "sound" }
  | { readonly kind: "cut" }
  | { readonly kind: "repaired"; readonly next: number };

/**
 * Repairs the numbering of a partition that was not checked for 30 days. Events written since then
 * may have expired, so the last remaining number may not be the last used one. The remaining events
 * are compacted, with their gaps. Numbering then continues far above any number that can have been
 * used. Everything below is past its retention, so readers get an error instead of skipping events.
 * No publish can interfere, because publishing refuses such a partition. It goes through these
 * steps, and each call goes on where the checkpoint is:
 *
 * 1. compacting: rows of the next page of batches, then the checkpoint moves over it. The time of
 *    the last check stays, so the partition remains at risk.
 * 2. jumping: no batch is left, and one move of the checkpoint renews the numbering.
 */
export async function repairNumbering(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  mayGoOn: () => boolean = () => true,
): Promise<Repair> {
  const { table, clock } = deps;
  for (;;) {
    const end = await loadEnd({ table, clock }, stream.life, partition);
    const { wallMs } = takeStamp(clock);
    if (wallMs - end.checkpoint.checkedAt <= PHYSICAL_SLACK_MS) return { kind: "sound" };
    if (await compactPage(deps, stream, partition, end)) {
      if (!mayGoOn()) return { kind: "cut" };
      continue;
    }
    // Nothing was written after a turn, and it does not expire.
    const next = end.turned ? end.next : end.next + JUMP;
    if (await jump(deps, stream, partition, { end, next, wallMs })) {
      return { kind: "repaired", next };
    }
  }
}

/**
 * Compacts and counts the next batches after the checkpoint, in order, across gaps. Returns false
 * when there are none.
 */
async function compactPage(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { checkpoint, stamp }: SeenEnd,
): Promise<boolean> {
  const { table, clock } = deps;
  const { life, compaction } = stream;
  const page = await table.batches.loadFrom(life, partition, checkpoint.next, BATCHES);
  const batches = page.batches.filter((batch) => !isLast(batch));
  const sum = { next: checkpoint.next, events: checkpoint.events, bytes: checkpoint.bytes };
  let hours = checkpoint.usage ?? [];
  for (const batch of batches) {
    const keepKeys = compaction === "key";
    const section = extendSection(emptySection(batch.first), [batch], { keepKeys });
    const rows = planRows(section, { partition, nowMs: clock.now() });
    await inParallel(rows, PUTS_AT_ONCE, async (row) => {
      assertYoung(clock, stamp);
      await table.compacted.putIfNewer(life, [row], { next: checkpoint.next });
    });
    hours = countHours(hours, section, { after: batch.first, to: section.to });
    sum.next = section.to;
    sum.events += section.events;
    sum.bytes += section.bytes;
  }
  if (batches.length === 0) return false;
  const of = { ...stream, partition, checkpoint, total: sum.events };
  const usage = await keepHours(deps, of, hours, { nowMs: clock.now(), all: false });
  const { checkedAt } = checkpoint;
  const recount = compaction === "key" ? { recount: NOT_COUNTED } : {};
  const to = { ...sum, checkedAt, usage, ...recount };
  await table.checkpoints.move(life, partition, checkpoint.next, to);
  return true;
}

/** Moves the checkpoint far up. Returns false when another call has moved it. */
async function jump(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  to: { readonly end: SeenEnd; readonly next: number; readonly wallMs: number },
): Promise<boolean> {
  const { next, wallMs } = to;
  const { checkpoint } = to.end;
  const of = { ...stream, partition, checkpoint, total: checkpoint.events };
  const hours = checkpoint.usage ?? [];
  const usage = await keepHours(deps, of, hours, { nowMs: wallMs, all: true });
  // A run may have put rows of expired events before it moved the checkpoint. No size has them.
  const isUncounted = stream.compaction === "key" && next > checkpoint.next;
  return deps.table.checkpoints.move(stream.life, partition, checkpoint.next, {
    next,
    // Of a chain that ended in a turn no number is unknown, so the next sweep moves its floor.
    ...(to.end.turned ? {} : { floor: next, floorAt: wallMs }),
    checkedAt: wallMs,
    compactedThrough: wallMs,
    usage,
    ...(isUncounted ? { recount: NOT_COUNTED } : {}),
    failures: 0,
  });
}
