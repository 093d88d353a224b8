import type { CursorContent } from "../cursor/cursor.ts";
import type { Log } from "../log/log.ts";
import { chainsOf, endOfChain, type Partitioned, startOfChain } from "../model/epochs.ts";
import type { Life } from "../model/names.ts";
import { edgeAt, type Position } from "../model/position.ts";
import type { Table } from "../table/table.ts";

type Deps = { readonly table: Table; readonly log: Pick<Log, "seekPartition"> };

type Stream = Partitioned & { readonly life: Life };

/**
 * Returns the positions that a difference since a cursor follows. Where the cursor has no position,
 * its reader has nothing from before its time. What the log has lost since then is in the list of
 * changes, so the difference begins at that time even below the log start offset. It begins at the
 * first event of the partition where the cursor has no time, or where the list does not tell.
 */
export const positionsSince = (
  { table, log }: Deps,
  stream: Stream,
  { positions, since }: Pick<CursorContent, "positions" | "since">,
): Promise<Position[]> =>
  Promise.all(
    chainsOf(stream).map(async (partition) => {
      const known = positions[partition];
      if (known !== undefined) return known;
      const start = edgeAt(startOfChain(stream, partition));
      if (since === undefined) return start;
      const { life } = stream;
      const end = endOfChain(stream, partition);
      const kept = await log.seekPartition(life, partition, { timeMs: since }, end);
      const earliest = await log.seekPartition(life, partition, "earliest", end);
      if (kept.next > earliest.next) return kept;
      const list = await table.changes.load(life, partition);
      const before = list?.chunks.findLast(({ at }) => at < since);
      return before === undefined ? start : edgeAt(before.to);
    }),
  );
