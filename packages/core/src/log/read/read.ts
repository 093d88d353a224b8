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
  readRun,
  startAt,
} from "./read-run.ts";

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
        const rows = isCold(chain, start) ? NO_ROWS : await loadRows(deps, chain, start, room);
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
