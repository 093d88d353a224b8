import { ageMs } from "../kernel/clock.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import type { SeenEnd } from "../log/end.ts";
import { isInEpoch, lastEpoch } from "../model/epochs.ts";
import type { Compactable, CompactDeps } from "./compact-deps.ts";
import { planMove, planRows, planTimes } from "./compaction-plan.ts";
import { growIfCrowded } from "./grow.ts";
import { countCrowding } from "./growth-plan.ts";
import type { Pace } from "./pace.ts";
import { putRows } from "./put-rows.ts";
import {
  emptySection,
  extendSection,
  planSafePoint,
  type SafePoint,
  type Section,
} from "./section.ts";
import { assertYoung } from "./section-age.ts";
import { followState } from "./state-size.ts";
import { countHours, keepHours } from "./usage.ts";

/** A section that takes longer than this is cut where it is, so that it does not become too old. */
const SECTION_CUT_MS = 40_000;
/**
 * A section ends with the page of rows that reaches one of these limits. If possible, it is the
 * whole backlog, so that a key that changed often is put once. A function of 1 GB compacts up to
 * eight sections at a time.
 */
const SECTION_EVENTS = 250_000;
const SECTION_KEPT_BYTES = 16 * 1024 * 1024;
const ROWS = 500;

/**
 * Compacts the next section, or as much of it as the time allows, but at least one batch. Returns
 * undefined when a different run has moved the checkpoint in the meantime and so has done the work.
 */
export async function compactSection(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { end, mayGoOn }: { readonly end: SeenEnd; readonly mayGoOn: () => boolean },
): Promise<{ events: number; keys: number; to: number } | undefined> {
  const { table, clock, pace = AT_ONCE, rowsTogether = 1, observeCompaction, growthRule } = deps;
  const { life } = stream;
  const from = end.checkpoint.next;
  const section = await readSection(deps, stream, partition, from);
  assertYoung(clock, end.stamp);
  assertInvariant(section.to > from, `${life} has no hole at ${from} of partition ${partition}`);
  const seen = { next: end.next, atMs: end.stamp.wallMs };
  const rows = planRows(section, { partition, nowMs: clock.now() });
  const state = followState(end.checkpoint, section, clock.now());
  let at = from;
  const places = new Set([from]);
  /** Returns whether no other run has moved the checkpoint. */
  const isCurrent = async () => {
    const checkpoint = await table.checkpoints.load(life, partition);
    return checkpoint !== undefined && places.has(checkpoint.next);
  };
  let hours = end.checkpoint.usage ?? [];
  let { recount, crowding } = end.checkpoint;
  const moveTo = async (place: SafePoint): Promise<boolean> => {
    const to = planMove(end.checkpoint, place, seen);
    hours = countHours(hours, section, { after: at, to: place.to }, state.sizeAt);
    const of = { ...stream, partition, checkpoint: end.checkpoint, total: to.events };
    hours = await keepHours(deps, of, hours, { nowMs: clock.now(), all: false });
    const times = planTimes(end.checkpoint, section, place.to);
    const counts = stream.auto === true && isInEpoch(lastEpoch(stream), partition);
    const part = { after: at, to: place.to };
    if (counts) crowding = countCrowding(crowding, section, part, growthRule);
    const crowded = counts && crowding !== undefined ? { crowding } : {};
    const move = { ...to, usage: hours, ...times, ...crowded, ...state.recountAt(place) };
    const { checkedAt } = end.checkpoint;
    const counted = { recount };
    places.add(place.to);
    const moved = await table.checkpoints.move(life, partition, at, move, checkedAt, counted);
    recount = move.recount ?? recount;
    at = place.to;
    observeCompaction?.lag({ life, partition, events: Math.max(0, end.next - at) });
    return moved;
  };
  const { rowsPut, outlook } = await putRows(clock, rows, {
    together: rowsTogether,
    atOnce: pace.atOnce,
    put: (some) =>
      pace.run(async () => {
        assertYoung(clock, end.stamp);
        const sizes = await table.compacted.putIfNewer(life, some, { next: from, isCurrent });
        state.note(some, sizes);
        observeCompaction?.rows(some.length);
      }),
    report: async (rowsPut) => {
      const place = planSafePoint(section, rowsPut);
      if (place !== undefined && place.to > at && !(await moveTo(place))) return "overtaken";
      const isDue = !mayGoOn() || ageMs(clock, end.stamp) > SECTION_CUT_MS;
      return isDue && at > from ? "cut" : "on";
    },
  });
  if (outlook === "overtaken") return undefined;
  const grow = () =>
    growIfCrowded(deps, stream, { before: end.checkpoint.crowding, after: crowding });
  if (outlook === "cut") {
    await grow();
    const { events = 0 } = section.safePoints.findLast(({ to }) => to === at) ?? {};
    return { events, keys: rowsPut, to: at };
  }
  const whole = { ...section, keys: section.latest.size };
  if (!(at === section.to || (await moveTo(whole)))) return undefined;
  await grow();
  return { events: section.events, keys: rowsPut, to: section.to };
}

/** Without a pace, this many writes are in flight. It suits a store of any size. */
const AT_ONCE: Pace = { atOnce: 32, run: (write) => write() };

async function readSection(
  { table }: CompactDeps,
  { life, compaction }: Compactable,
  partition: number,
  from: number,
): Promise<Section> {
  let section = emptySection(from);
  for (;;) {
    const { batches, more } = await table.batches.loadFrom(life, partition, section.to, ROWS);
    section = extendSection(section, batches, { keepKeys: compaction === "key" });
    const full = section.events >= SECTION_EVENTS || section.keptBytes >= SECTION_KEPT_BYTES;
    if (full || !more || section.stop !== undefined) return section;
  }
}
