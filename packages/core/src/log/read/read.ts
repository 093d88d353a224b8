import { invalidCursor } from "../../cursor/cursor.ts";
import type { Clock } from "../../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../../kernel/error.ts";
import { assertInvariant } from "../../kernel/invariant.ts";
import { DAY_MS } from "../../kernel/time.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { afterLost, isLost } from "../../model/restored.ts";
import type { Batch } from "../../table/batch.entity.ts";
import type { Checkpoint } from "../../table/checkpoint.entity.ts";
import type { Table } from "../../table/table.ts";
import { unpackBatch } from "../codec.ts";
import { PHYSICAL_SLACK_MS } from "../guard.ts";
import { type BatchSizes, rowsFor } from "./batch-sizes.ts";
import type { CheckpointMemory } from "./checkpoint-memory.ts";
import type { LastBatches } from "./last-batches.ts";
import {
  type Bound,
  boundOf,
  type PartitionBound,
  planRun,
  type Room,
  type Slice,
} from "./read-plan.ts";

export type ReadDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly checkpoints: CheckpointMemory;
  readonly sizes: BatchSizes;
  readonly lastBatches: LastBatches;
};

/** The part of a page from one partition. */
export type PartitionRun = {
  readonly position: Position;
  /** The log had no event after `position` when it was read. */
  readonly atEnd: boolean;
  /** The publication time of the first event after `position`, if the read has seen it. */
  readonly nextPublishedAt: number | undefined;
  /** The next event is past the bound of the page. The partition then counts as read to its end. */
  readonly bounded?: true;
};

/** An event and its place. */
export type Entry = {
  readonly event: StoredEvent;
  readonly partition: number;
  /** The first sequence of the event's batch. */
  readonly batch: number;
};

export type LogPage = {
  readonly entries: readonly Entry[];
  readonly runs: readonly PartitionRun[];
  /** The partition that the next page starts with. */
  readonly nextPartition: number;
};

/** The amount to read, the partition to begin with, and the partitions to read if not all. */
export type PageRequest = {
  readonly room: Room;
  readonly nextPartition: number;
  readonly among?: ReadonlySet<number> | undefined;
  readonly bound?: Bound | undefined;
};

/** The number of partitions that are read concurrently. */
const WAVE = 8;

/**
 * Reads from `positions`, one per partition, until the page is full or the log has ended. It starts
 * with `nextPartition`, so that small pages still reach all partitions in turn. Every read is
 * strongly consistent: it finds everything that was durable before it began. Throws
 * `retention-passed` when a position is older than the retained log, `invalid-cursor` when a
 * restore lost the events before it, `stream-not-found` when the stream has ended, and an
 * InvariantError when the chain has an unexplained gap.
 */
export async function readPage(
  deps: ReadDeps,
  life: Life,
  positions: readonly Position[],
  { room, nextPartition, among, bound }: PageRequest,
): Promise<LogPage> {
  const order = positions
    .map((_, index) => (index + nextPartition) % positions.length)
    .filter((partition) => among === undefined || among.has(partition));
  const runs: PartitionRun[] = positions.map((position) => notRead(position));
  const entries: Entry[] = [];
  let left = room;
  let read = 0;
  let full = false;
  for (let at = 0; at < order.length && !full; at += WAVE) {
    const wave = order.slice(at, at + WAVE);
    const first = await Promise.all(
      wave.map(async (partition) => {
        const chain = await checkChain(deps, { life, partition });
        const start = startAt(chain, positions[partition] ?? edgeAt(1));
        const rows = await loadRows(deps, chain, start, room);
        return { chain, start, rows };
      }),
    );
    for (const { chain, start, rows } of first) {
      const limits = { room: left, bound: boundOf(bound, chain.partition) };
      const taken = await readRun(deps, chain, start, rows, limits);
      for (const entry of taken.entries) entries.push(entry);
      runs[chain.partition] = taken.run;
      left = taken.room;
      // A partition that got no room in this page is the first of the next page.
      const unserved = taken.full && taken.entries.length === 0;
      if (!unserved) read++;
      full = unserved || left.events === 0;
      if (full) break;
    }
  }
  return { entries, runs, nextPartition: order[read % order.length] ?? nextPartition };
}

const notRead = (position: Position): PartitionRun => ({
  position,
  atEnd: false,
  nextPublishedAt: undefined,
});

type Rows = { readonly batches: readonly Batch[]; readonly more: boolean };
type Chain = { readonly life: Life; readonly partition: number };
/** A chain, with its checkpoint from before its rows were read. */
type KnownChain = Chain & Pick<Checkpoint, "floor" | "next" | "lookedAt" | "lost">;

/**
 * Takes the events of one partition that fit, and queries further rows while there is room. A query
 * is no snapshot: it may pass a place before a batch is put there and still return the following
 * batch. So a gap is real only when a second query finds it again. That query must begin after the
 * later batch was seen.
 */
async function readRun(
  deps: ReadDeps,
  chain: KnownChain,
  start: Position,
  firstRows: Rows,
  { room: firstRoom, bound }: { readonly room: Room; readonly bound: PartitionBound },
): Promise<{ run: PartitionRun; entries: Entry[]; room: Room; full: boolean }> {
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
    const isMissing = plan.stop === "gap" && gapAt === position.next;
    if (plan.stop === "bound") {
      const run = { position, atEnd: true, nextPublishedAt: undefined, bounded: true } as const;
      return { run, entries, room, full: false };
    }
    gapAt = plan.stop === "gap" ? position.next : undefined;
    const ranOut = plan.stop === "end" && !rows.more;
    // Rows that end below the compacted position that was read before them have expired.
    if (isMissing || (ranOut && position.next < chain.next)) {
      position = await findAfterGap(deps, chain, position);
      gapAt = undefined;
      rows = await loadRows(deps, chain, position, room);
      continue;
    }
    const atEnd = ranOut && isAttended(deps, chain);
    const full = plan.stop === "room";
    if (full || ranOut || room.events === 0) {
      const run = { position, atEnd, nextPublishedAt: plan.nextPublishedAt };
      return { run, entries, room, full };
    }
    rows = await loadRows(deps, chain, position, room);
  }
}

/** Queries about as many rows as there is room for, and remembers how many events they hold. */
async function loadRows(
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

const checkChain = async ({ checkpoints }: ReadDeps, chain: Chain): Promise<KnownChain> => {
  const known = await checkpoints.recall(chain.life, chain.partition);
  const { floor, next, lookedAt, lost } = known;
  return { ...chain, floor, next, lookedAt, ...(lost === undefined ? {} : { lost }) };
};

/**
 * Returns whether the end was checked recently enough. After a long time without a check, rows may
 * have expired unseen, so no place is known to be the end. After a repair of the numbering, readers
 * get an error for the events that they missed.
 */
const isAttended = ({ clock }: ReadDeps, { lookedAt }: KnownChain): boolean =>
  clock.now() - lookedAt <= PHYSICAL_SLACK_MS;

/**
 * Returns where to read from, and refuses a position below the floor. Floors are at batch edges. If
 * the batch of a position begins below the floor and the position itself does not, then no event of
 * that batch is left to read. Lost numbers belong to no event, so a reader that stops among them
 * has missed nothing.
 */
function startAt({ floor, lost }: KnownChain, position: Position): Position {
  if (isLost(lost, position.next)) throw invalidCursor("restored");
  const next = position.next < floor ? afterLost(lost, position.next) : position.next;
  if (next < floor) throw retentionPassed(floor);
  return position.batch < floor ? edgeAt(next) : position;
}

/**
 * Returns the place after numbers that a restore used up. Their row has expired, and no event is
 * missing. Otherwise explains the missing batch: rows are removed only 30 days after the end of
 * their retention. Either the floor is above the position by now, or no process has moved the floor
 * for a week, or the log is damaged. A check of the end in the meantime does not decide between
 * these.
 */
async function findAfterGap(
  { checkpoints, clock }: ReadDeps,
  { life, partition }: Chain,
  at: Position,
): Promise<Position> {
  const { floor, floorAt, lost } = await checkpoints.reload(life, partition);
  if (isLost(lost, at.next)) throw invalidCursor("restored");
  const next = afterLost(lost, at.next);
  if (next > at.next && next >= floor) return edgeAt(next);
  const unattended = clock.now() - floorAt > UNATTENDED_MS;
  assertInvariant(at.next < floor || unattended, `nothing is missing at ${at.next} of ${life}`);
  throw retentionPassed(floor);
}

/**
 * If the floor has not moved for this long, a missing batch counts as expired. This is far less
 * than the 30 days for which rows stay below the floor.
 */
export const UNATTENDED_MS = 7 * DAY_MS;

/**
 * Returns whether a read failed because its position is no longer in the log: it has expired or was
 * lost.
 */
export const isOutOfReach = (error: unknown): error is LedgerError =>
  error instanceof LedgerError &&
  (error.code === "retention-passed" || error.facts.reason === "restored");

export const retentionPassed = (floor: number): LedgerError =>
  new LedgerError("retention-passed", {
    detail: "The events at this position are no longer kept. Read from `earliest` instead.",
    facts: { earliestSequence: floor },
  });
