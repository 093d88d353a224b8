import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import type { Random } from "../kernel/random.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import { loadEnd, type SeenEnd } from "../log/end.ts";
import { assertNumbered } from "../log/guard.ts";
import {
  endOfChain,
  epochAt,
  isInEpoch,
  lastEpoch,
  type Partitioned,
  startOfChain,
} from "../model/epochs.ts";
import type { Life } from "../model/names.ts";
import { isEntered, lostBetween } from "../model/restored.ts";
import type { Sightings } from "../model/sightings.ts";
import type { Table } from "../table/table.ts";
import {
  believed,
  emptySection,
  extendSection,
  planMove,
  planRows,
  planSafePoint,
  planTimes,
  type SafePoint,
  type Section,
} from "./compaction-plan.ts";
import { moveFloor } from "./floor.ts";
import { type Growable, growIfCrowded } from "./grow.ts";
import { countCrowding } from "./growth-plan.ts";
import { listOften } from "./list-often.ts";
import type { Pace } from "./pace.ts";
import { putRows } from "./put-rows.ts";
import { followState, stateSizeOf } from "./state-size.ts";
import { countHours, keepHours } from "./usage.ts";

export type CompactDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  /** The observations of this process. Without them, only stored values count. */
  readonly sightings?: Sightings | undefined;
  /** Decides when to write. If absent, up to 32 writes are in flight. */
  readonly pace?: Pace | undefined;
  /**
   * The number of rows in one write. The default is one. A transaction costs twice the units of
   * single puts, but a store on a local disk needs the time of one write for it.
   */
  readonly rowsTogether?: number | undefined;
  readonly observeCompaction?: ObserveCompaction | undefined;
};

/** Reports the progress of compaction in a process. */
export type ObserveCompaction = {
  /** Called when rows were put, or when the table already had rows that are at least as new. */
  rows(count: number): void;
  /** Called with the number of events of a partition after its checkpoint. */
  lag(at: { readonly life: Life; readonly partition: number; readonly events: number }): void;
  /** Called when a stream begins to get more partitions by itself. */
  grows?(): void;
};

/** The properties of a stream's life that compaction needs. */
export type Compactable = Partitioned & {
  readonly life: Life;
  readonly compaction: "key" | "none";
  readonly retentionHours: number;
} & Growable;

/** The result of a call in one partition. */
export type PartitionCompaction = {
  readonly events: number;
  /** The number of compacted rows put, one per key and section. */
  readonly keys: number;
  /** Everything that was durable when the call began is compacted. */
  readonly done: boolean;
  /** Events after the checkpoint at the end of the call, of those that the call has seen. */
  readonly remaining: number;
  /** The publication time of the last compacted event. The remaining events are no older. */
  readonly compactedThrough: number;
  /** The size of the compacted state was unknown. */
  readonly isUnsized?: true;
};

/**
 * The maximum age of a section, from the read of its log. A faster run may have put a tombstone in
 * the meantime. This limit is far shorter than that tombstone's life, so a paused run cannot bring
 * the deleted key back.
 */
const SECTION_AGE_MAX_MS = MINUTE_MS;
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
/** The interval between checks of an idle partition. The guards allow days. */
const LOOK_AGE_MS = 6 * HOUR_MS;
/** Sweeps move the floor. If none has run for this long, compaction moves it. */
const FLOOR_AGE_MAX_MS = DAY_MS;

/**
 * Brings the compacted state of one partition up to its end, section by section, until `budgetMs`
 * is used up. The checkpoint moves only over events whose keys' rows are put, and only from where
 * this call found it or left it. So a crash leaves work to repeat and nothing to repair, and calls
 * may run concurrently. Throws `numbering-at-risk` when the partition was unchecked for so long
 * that events may have expired unseen, and an InvariantError when the chain has a gap.
 */
export async function compactPartition(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { began, budgetMs }: { began: Stamp; budgetMs: number },
): Promise<PartitionCompaction> {
  const { clock } = deps;
  let events = 0;
  let keys = 0;
  let sized: Pick<PartitionCompaction, "isUnsized"> = {};
  const mayGoOn = () => ageMs(clock, began) < budgetMs;
  let first: number | undefined;
  for (;;) {
    const end = await loadEnd(deps, stream.life, partition);
    assertNumbered(end.checkpoint, clock.now());
    const { compactedThrough, next, lost } = end.checkpoint;
    first ??= next;
    sized = stateSizeOf(end.checkpoint) === undefined ? { isUnsized: true } : {};
    const remaining = end.next - next - lostBetween(lost, next, end.next);
    deps.observeCompaction?.lag({ life: stream.life, partition, events: remaining });
    if (next === end.next) {
      await listOften(deps, stream, { partition, from: first, to: next });
      await renewLook(deps, stream, partition, end);
      await moveOldFloor(deps, stream, partition, end);
      return { events, keys, done: true, remaining, compactedThrough, ...sized };
    }
    if (!mayGoOn()) return { events, keys, done: false, remaining, compactedThrough, ...sized };
    if (!isEntered(end.checkpoint, startOfChain(stream, partition))) {
      const left = Math.max(0, budgetMs - ageMs(clock, began));
      const isReached = await reachEpoch(deps, stream, partition, left);
      if (!isReached) return { events, keys, done: false, remaining, compactedThrough, ...sized };
    }
    const worked = await compactSection(deps, stream, partition, { end, mayGoOn });
    if (worked === undefined) continue;
    events += worked.events;
    keys += worked.keys;
    if (worked.to >= end.next) {
      await listOften(deps, stream, { partition, from: first, to: worked.to });
      await moveOldFloor(deps, stream, partition, end);
      const { wallMs } = end.stamp;
      return { events, keys, done: true, remaining: 0, compactedThrough: wallMs, ...sized };
    }
  }
}

/**
 * Compaction enters the partitions of an epoch once all those of the earlier epochs are compacted
 * to their ends. Otherwise a snapshot could hold an event that is newer than one after it. This
 * compacts the rest of the earlier epochs. Returns false when that takes too long.
 */
async function reachEpoch(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  budgetMs: number,
): Promise<boolean> {
  const { first } = epochAt(stream, partition);
  const began = takeStamp(deps.clock);
  for (let before = 0; before < first; before++) {
    const checkpoint = await deps.table.checkpoints.load(stream.life, before);
    const end = endOfChain(stream, before) ?? 0;
    if (checkpoint !== undefined && checkpoint.next >= end) continue;
    const { done } = await compactPartition(deps, stream, before, { began, budgetMs });
    if (!done) return false;
  }
  return true;
}

/**
 * Compacts the next section, or as much of it as the time allows, but at least one batch. Returns
 * undefined when a different run has moved the checkpoint in the meantime and so has done the work.
 */
async function compactSection(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { end, mayGoOn }: { readonly end: SeenEnd; readonly mayGoOn: () => boolean },
): Promise<{ events: number; keys: number; to: number } | undefined> {
  const { table, clock, pace = AT_ONCE, rowsTogether = 1, observeCompaction } = deps;
  const { life } = stream;
  const from = end.checkpoint.next;
  const section = await readSection(deps, stream, partition, from);
  assertYoung(clock, end.stamp);
  assertInvariant(section.to > from, `${life} has no hole at ${from} of partition ${partition}`);
  const seen = { next: end.next, atMs: end.stamp.wallMs };
  const rows = planRows(section, { partition, nowMs: clock.now() });
  const state = followState(end.checkpoint, section, clock.now());
  let at = from;
  let hours = end.checkpoint.usage ?? [];
  let { recount, crowding } = end.checkpoint;
  const moveTo = async (place: SafePoint): Promise<boolean> => {
    const to = planMove(end.checkpoint, place, seen);
    hours = countHours(hours, section, { after: at, to: place.to }, state.sizeAt);
    const of = { ...stream, partition, checkpoint: end.checkpoint, total: to.events };
    hours = await keepHours(deps, of, hours, { nowMs: clock.now(), all: false });
    const times = planTimes(end.checkpoint, section, place.to);
    const counts = stream.auto === true && isInEpoch(lastEpoch(stream), partition);
    if (counts) crowding = countCrowding(crowding, section, { after: at, to: place.to });
    const crowded = counts && crowding !== undefined ? { crowding } : {};
    const move = { ...to, usage: hours, ...times, ...crowded, ...state.recountAt(place) };
    const { checkedAt } = end.checkpoint;
    const counted = { recount };
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
        state.note(some, await table.compacted.putIfNewer(life, some, from));
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

/**
 * Records the time of this check of the end, because compaction has reached the end and no event
 * has expired unseen. The hours of usage of an idle partition become rows then.
 */
async function renewLook(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { checkpoint: stored, stamp }: SeenEnd,
): Promise<void> {
  const { table, clock } = deps;
  const checkpoint = { ...stored, ...believed(stored, clock.now()) };
  const failed = (checkpoint.failures ?? 0) > 0;
  const young = clock.now() - checkpoint.checkedAt < LOOK_AGE_MS;
  const through = clock.now() - checkpoint.compactedThrough < LOOK_AGE_MS;
  if (young && through && !failed) return;
  const of = { ...stream, partition, checkpoint, total: checkpoint.events };
  const usage = await keepHours(deps, of, stored.usage ?? [], { nowMs: clock.now(), all: true });
  const { recount } = stored;
  const to = {
    ...(usage.length === 0 ? {} : { usage }),
    checkedAt: Math.max(checkpoint.checkedAt, stamp.wallMs),
    compactedThrough: Math.max(checkpoint.compactedThrough, stamp.wallMs),
    failures: 0,
  };
  const { checkedAt, next } = stored;
  await table.checkpoints.move(stream.life, partition, next, to, checkedAt, { recount });
}

/**
 * Without sweeps, rows expire while the log start offset stays below them. A reader that begins at
 * the earliest event would meet that gap repeatedly, so compaction moves the floor
 * too.
 */
async function moveOldFloor(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { checkpoint }: SeenEnd,
): Promise<void> {
  if (deps.clock.now() - checkpoint.floorAt <= FLOOR_AGE_MAX_MS) return;
  await moveFloor(deps, stream, partition);
}

/**
 * Thrown when a run was frozen for so long that its reads can no longer be trusted. It begins
 * again.
 */
export class SectionTooOld extends Error {
  override readonly name = "SectionTooOld";
}

/** Throws when reads from that time are too old to base a write on them. */
export function assertYoung(clock: Clock, stamp: Stamp): void {
  if (ageMs(clock, stamp) > SECTION_AGE_MAX_MS) {
    throw new SectionTooOld(
      "Compaction was paused for too long. It begins again at the checkpoint.",
    );
  }
}
