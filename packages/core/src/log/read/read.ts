import { takeStamp } from "../../kernel/clock.ts";
import { chainsIn, type Epoch, epochsOf, isDrained, TurnReached } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { type Bound, boundOf, type Room } from "./read-plan.ts";
import {
  checkChain,
  type Entry,
  isCold,
  loadRows,
  NO_ROWS,
  type PartitionRun,
  type ReadDeps,
  type Rows,
  readRun,
  startAt,
} from "./read-run.ts";

export type LogPage = {
  readonly entries: readonly Entry[];
  readonly runs: readonly PartitionRun[];
  /** The partition that the next page starts with. */
  readonly nextPartition: number;
};

/**
 * The amount to read, the partition to begin with, and the partitions to read if not all. `epochs`
 * are those of the stream, if it has several.
 */
export type PageRequest = {
  readonly epochs?: readonly Epoch[] | undefined;
  readonly room: Room;
  readonly nextPartition: number;
  readonly among?: ReadonlySet<number> | undefined;
  readonly bound?: Bound | undefined;
};

/**
 * The number of partitions that are read concurrently while they may fill the page. What is read
 * for a full page is read in vain.
 */
const WAVE = 8;

/**
 * Reads from `positions`, one per partition, until the page is full or the log has ended. It starts
 * with `nextPartition`, so that small pages still reach all partitions in turn. It enters the
 * partitions of an epoch only once it has read all those of the epoch before it, so that the events
 * of each key stay in order. Every read is strongly consistent: it finds everything that was
 * durable before it began. Throws `retention-passed` when a position is older than the retained
 * log, `invalid-cursor` when a restore lost the events before it, `stream-not-found` when the
 * stream has ended, `TurnReached` when it goes on in an epoch that `epochs` lacks, and an
 * InvariantError when the chain has an unexplained gap.
 */
export async function readPage(
  deps: ReadDeps,
  life: Life,
  positions: readonly Position[],
  { epochs, room, nextPartition, among, bound }: PageRequest,
): Promise<LogPage> {
  const stream = { partitions: positions.length, epochs };
  const runs = positions.map((position, partition) =>
    isDrained(stream, partition, position) ? drainedAt(position) : notRead(position),
  );
  const page: Growing = { entries: [], runs, nextPartition, room, isOver: false };
  for (const epoch of epochsOf(stream)) {
    const order = orderOf(epoch, nextPartition).filter(
      (partition) => (among?.has(partition) ?? true) && runs[partition]?.atEnd !== true,
    );
    await readWaves(deps, life, page, { order, positions, bound });
    for (const partition of order) {
      const { position, turned } = runs[partition] ?? notRead(edgeAt(epoch.from));
      if (isDrained(stream, partition, position)) runs[partition] = drainedAt(position);
      if (epoch.ends !== undefined || turned !== true) continue;
      // The stream continues in an epoch that this view of it lacks.
      if (page.entries.length === 0) throw new TurnReached();
      runs[partition] = notRead(position);
    }
    if (page.isOver || order.some((partition) => runs[partition]?.atEnd !== true)) break;
    // What an epoch has after the bound comes before all later epochs.
    if (order.some((partition) => runs[partition]?.bounded)) {
      for (const [partition, run] of runs.entries()) {
        const isLater = partition >= epoch.first + epoch.partitions;
        if (isLater) runs[partition] = { ...run, atEnd: true, bounded: true };
      }
      break;
    }
  }
  return { entries: page.entries, runs, nextPartition: page.nextPartition };
}

/** A page while it is being read. `isOver` is true when it has no room for the next event. */
type Growing = {
  readonly entries: Entry[];
  readonly runs: PartitionRun[];
  nextPartition: number;
  room: Room;
  isOver: boolean;
};

/** Returns the partitions of an epoch, beginning with `nextPartition` if it is one of them. */
function orderOf(epoch: Epoch, nextPartition: number): number[] {
  const chains = chainsIn(epoch);
  const start = Math.max(0, nextPartition - epoch.first) % chains.length;
  return [...chains.slice(start), ...chains.slice(0, start)];
}

/** Reads some partitions in their order, until the page is full. */
async function readWaves(
  deps: ReadDeps,
  life: Life,
  page: Growing,
  {
    order,
    positions,
    bound,
  }: { readonly order: readonly number[]; readonly positions: readonly Position[] } & Pick<
    PageRequest,
    "bound"
  >,
): Promise<void> {
  const { room } = page;
  const before = page.entries.length;
  // Where a look has just found nothing, the others are probably empty too.
  const isQuietPlace = order.every(
    (partition) => deps.quietEnds.recall(life, partition, positions[partition]) !== undefined,
  );
  let together = isQuietPlace ? order.length : WAVE;
  let read = 0;
  for (let at = 0; at < order.length && !page.isOver; ) {
    const wave = order.slice(at, at + together);
    at += wave.length;
    const first = await Promise.all(
      wave.map(async (partition) => {
        const chain = await checkChain(deps, { life, partition }, positions[partition]);
        const start = startAt(chain, positions[partition] ?? edgeAt(1));
        const stamp = takeStamp(deps.clock);
        const rows = isCold(chain, start) ? NO_ROWS : await loadRows(deps, chain, start, room);
        return { chain, start, rows, stamp };
      }),
    );
    for (const { chain, start, rows, stamp } of first) {
      const limits = { room: page.room, bound: boundOf(bound, chain.partition) };
      const taken = await readRun(deps, chain, start, rows, limits);
      if (isQuiet(taken.run, start, rows)) deps.quietEnds.learn(chain, start.next, stamp);
      for (const entry of taken.entries) page.entries.push(entry);
      page.runs[chain.partition] = taken.run;
      page.room = taken.room;
      // A partition that got no room in this page is the first of the next page.
      const unserved = taken.full && taken.entries.length === 0;
      if (!unserved) read++;
      page.isOver = unserved || page.room.events === 0;
      if (page.isOver) break;
    }
    if (page.entries.length === before) together = order.length;
  }
  page.nextPartition = order[read % order.length] ?? page.nextPartition;
}

/** Whether one query has shown that the chain ends where the read began. */
const isQuiet = (
  { atEnd, turned, bounded, position }: PartitionRun,
  start: Position,
  rows: Rows,
): boolean => {
  const isEmpty = rows !== NO_ROWS && rows.batches.length === 0 && !rows.more;
  const isEnd = atEnd && turned !== true && bounded !== true;
  return isEmpty && isEnd && position.next === start.next;
};

const drainedAt = (position: Position): PartitionRun => ({ ...notRead(position), atEnd: true });

const notRead = (position: Position): PartitionRun => ({
  position,
  atEnd: false,
  nextPublishedAt: undefined,
});
