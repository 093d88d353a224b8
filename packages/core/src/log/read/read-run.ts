import { invalidCursor } from "../../cursor/cursor.ts";
import type { Clock } from "../../kernel/clock.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { assertInvariant } from "../../kernel/invariant.ts";
import { earliestOf, isArchived } from "../../model/archive.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { afterLost, isLost } from "../../model/restored.ts";
import type { Batch } from "../../table/batch.ts";
import type { Table } from "../../table/table.ts";
import { unpackBatch } from "../codec.ts";
import { readCold } from "../cold/cold-read.ts";
import type { Segments } from "../cold/segments.ts";
import { PHYSICAL_SLACK_MS } from "../guard.ts";
import { type BatchSizes, rowsFor } from "./batch-sizes.ts";
import type { CheckpointMemory, KnownChain } from "./checkpoint-memory.ts";
import type { LastBatches } from "./last-batches.ts";
import type { QuietEnds } from "./quiet-ends.ts";
import { FLOOR_STALE_MS, retentionPassed } from "./reach.ts";
import { type PartitionBound, planRun, type Room, type Slice } from "./read-plan.ts";

export type ReadDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly checkpoints: CheckpointMemory;
  readonly quietEnds: QuietEnds;
  readonly sizes: BatchSizes;
  readonly lastBatches: LastBatches;
  readonly segments: Segments;
};

/** The part of a page from one partition. */
export type PartitionRun = {
  readonly position: Position;
  /** The log had no event after `position` when it was read. */
  readonly atEnd: boolean;
  /** The chain has ended. The stream continues in the partitions of the next epoch. */
  readonly turned?: true;
  /** The publication time of the first event after `position`, if the read has seen it. */
  readonly nextPublishedAt: number | undefined;
  /** The next event is past the bound of the page. The partition then counts as read to its end. */
  readonly bounded?: true;
};

/** An event and its place. */
export type Entry = {
  readonly event: StoredEvent;
  readonly partition: number;
  /** The first sequence of the event's batch, or the event's own if it is from the archive. */
  readonly batch: number;
  /** The event comes from the archive. */
  readonly cold?: true;
};

export type Rows = { readonly batches: readonly Batch[]; readonly more: boolean };
export const NO_ROWS: Rows = { batches: [], more: false };

type Chain = { readonly life: Life; readonly partition: number };
/** Events below the floor are read from the archive. */
export const isCold = ({ floor }: KnownChain, { next }: Position): boolean => next < floor;

type Run = { run: PartitionRun; entries: Entry[]; room: Room; full: boolean };
type RunLimits = { readonly room: Room; readonly bound: PartitionBound };

/**
 * Takes the events of one partition that fit: from the archive up to the floor, and from the table
 * after it. If the floor passes the position in the meantime, the read continues in the archive.
 */
export async function readRun(
  deps: ReadDeps,
  known: KnownChain,
  start: Position,
  firstRows: Rows,
  limits: RunLimits,
): Promise<Run> {
  const entries: Entry[] = [];
  let chain = known;
  let position = start;
  let rows: Rows | undefined = firstRows;
  let { room } = limits;
  for (;;) {
    if (isCold(chain, position)) {
      const cold = await readColdRun(deps, chain, position, { ...limits, room });
      for (const entry of cold.entries) entries.push(entry);
      room = cold.room;
      if (!cold.isThrough) return { ...cold, entries };
      position = cold.run.position;
      rows = undefined;
    }
    rows ??= await loadRows(deps, chain, position, room);
    const hot = await readHotRun(deps, chain, position, rows, { ...limits, room });
    for (const entry of hot.entries) entries.push(entry);
    if (hot.goesOn === undefined) return { ...hot, entries };
    ({ chain, position } = hot.goesOn);
    room = hot.room;
    rows = undefined;
  }
}

/** Takes events from the archive. `isThrough`: the next event is in the table. */
async function readColdRun(
  { segments, checkpoints }: ReadDeps,
  chain: KnownChain,
  start: Position,
  limits: RunLimits,
): Promise<Run & { isThrough: boolean }> {
  const { partition } = chain;
  const cold = await readCold(segments, chain, start.next, limits);
  const { events, position, room, stop, nextPublishedAt } = cold;
  const entries = events.map(
    (event): Entry => ({ event, partition, batch: event.sequence, cold: true }),
  );
  if (stop === "bound") {
    const run = { position, atEnd: true, nextPublishedAt: undefined, bounded: true } as const;
    return { run, entries, room, full: false, isThrough: false };
  }
  if (stop === "missing" && events.length === 0) {
    const present = await checkpoints.reload(chain.life, partition);
    // The days of these events may have ended in the meantime. Otherwise the archive is damaged.
    const isGone = !isArchived(present, position.next) && position.next < earliestOf(present);
    assertInvariant(isGone, `the archive of ${chain.life} has ${position.next}`);
    throw retentionPassed(present);
  }
  const isThrough = stop === "reached" && position.next >= chain.floor;
  const run = { position, atEnd: false, nextPublishedAt };
  return { run, entries, room, full: !isThrough, isThrough };
}

/**
 * Takes the events of one partition from the table, and queries further rows while there is room. A
 * query is no snapshot: it may pass a place before a batch is put there and still return the
 * following batch. So a gap is real only when a second query finds it again. That query must begin
 * after the later batch was seen. `goesOn` is where the run continues after a gap.
 */
async function readHotRun(
  deps: ReadDeps,
  chain: KnownChain,
  start: Position,
  firstRows: Rows,
  { room: firstRoom, bound }: RunLimits,
): Promise<Run & { goesOn?: { readonly chain: KnownChain; readonly position: Position } }> {
  const entries: Entry[] = [];
  let rows = firstRows;
  let position = start;
  let room = firstRoom;
  let gapAt: number | undefined;
  for (;;) {
    const plan = planRun(rows.batches, position, room, bound);
    for (const slice of plan.slices) {
      for (const event of eventsOf(slice)) {
        entries.push({ event, partition: chain.partition, batch: slice.batch.first });
      }
    }
    ({ position, room } = plan);
    if (plan.stop === "seal") throw streamNotFound();
    if (plan.stop === "lost") throw invalidCursor("restored");
    if (plan.stop === "turn") {
      const run = { position, atEnd: true, turned: true, nextPublishedAt: undefined } as const;
      return { run, entries, room, full: false };
    }
    const isMissing = plan.stop === "gap" && gapAt === position.next;
    if (plan.stop === "bound") {
      const run = { position, atEnd: true, nextPublishedAt: undefined, bounded: true } as const;
      return { run, entries, room, full: false };
    }
    gapAt = plan.stop === "gap" ? position.next : undefined;
    const ranOut = plan.stop === "end" && !rows.more;
    const run = { position, atEnd: false, nextPublishedAt: plan.nextPublishedAt };
    // Rows that end below the compacted position that was read before them have expired.
    if (isMissing || (ranOut && position.next < chain.next)) {
      const goesOn = await findAfterGap(deps, chain, position);
      return { run, entries, room, full: false, goesOn };
    }
    const full = plan.stop === "room";
    if (full || ranOut || room.events === 0) {
      const atEnd = ranOut && isEndChecked(deps, chain);
      return { run: { ...run, atEnd }, entries, room, full };
    }
    rows = await loadRows(deps, chain, position, room);
  }
}

/** Queries about as many rows as the page has room for, and remembers how many events they hold. */
export async function loadRows(
  { table, sizes }: ReadDeps,
  { life, partition }: Chain,
  position: Position,
  { events }: Room,
): Promise<Rows> {
  const limit = rowsFor(events, sizes.recall(life, partition), position);
  const rows = await table.batches.loadFrom(life, partition, position.batch, limit);
  sizes.learn(life, partition, rows.batches);
  return rows;
}

const eventsOf = ({ batch, from, to }: Slice): StoredEvent[] => unpackBatch(batch).slice(from, to);

/** Returns a chain with its checkpoint, to read from `at`. */
export async function checkChain(
  { checkpoints, quietEnds }: ReadDeps,
  { life, partition }: Chain,
  at: Position | undefined,
): Promise<KnownChain> {
  const quiet = quietEnds.recall(life, partition, at);
  return quiet ?? { ...(await checkpoints.recall(life, partition)), life, partition };
}

/**
 * Returns whether the end was checked recently enough. After a long time without a check, rows may
 * have expired unseen, so no place is known to be the end. After a repair of the numbering, readers
 * get an error for the events that they missed.
 */
const isEndChecked = ({ clock }: ReadDeps, { checkedAt }: KnownChain): boolean =>
  clock.now() - checkedAt <= PHYSICAL_SLACK_MS;

/**
 * Returns where to read from. A position below the floor must be in the archive, otherwise it is
 * refused. Floors are at batch edges. If the batch of a position begins below the floor and the
 * position itself does not, all events of that batch are before the position. Lost numbers belong
 * to no event, so a reader that stops among them has missed nothing.
 */
export function startAt(chain: KnownChain, position: Position): Position {
  const { floor, lost } = chain;
  if (isLost(lost, position.next)) throw invalidCursor("restored");
  const next = position.next < floor ? afterLost(lost, position.next) : position.next;
  if (next < floor && !isArchived(chain, next)) throw retentionPassed(chain);
  return position.batch < floor ? edgeAt(next) : position;
}

/**
 * Finds where a run goes on after a missing batch: after numbers that a restore used up, or in the
 * archive if the floor has passed the position. A position from the archive does not name its
 * batch, so the batch is looked up once. Otherwise throws `retention-passed`, or an InvariantError
 * if neither the floor nor a stale floor explains the gap.
 */
async function findAfterGap(
  { table, checkpoints, clock }: ReadDeps,
  { life, partition }: KnownChain,
  at: Position,
): Promise<{ readonly chain: KnownChain; readonly position: Position }> {
  const chain = { ...(await checkpoints.reload(life, partition)), life, partition };
  const { floor, floorAt, lost } = chain;
  if (isLost(lost, at.next)) throw invalidCursor("restored");
  const next = afterLost(lost, at.next);
  if (next > at.next && next >= floor) return { chain, position: edgeAt(next) };
  if (at.next < floor && isArchived(chain, at.next)) return { chain, position: edgeAt(at.next) };
  if (at.batch === at.next && at.next >= floor) {
    const batch = await table.batches.loadAtOrBefore(life, partition, at.next);
    const isInside = batch !== undefined && at.next < batch.first + batch.count;
    if (isInside) return { chain, position: { batch: batch.first, next: at.next } };
  }
  const isFloorStale = clock.now() - floorAt > FLOOR_STALE_MS;
  assertInvariant(at.next < floor || isFloorStale, `nothing is missing at ${at.next} of ${life}`);
  throw retentionPassed(chain);
}
