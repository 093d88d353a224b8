import type { CursorContent } from "../cursor/cursor.ts";
import type { Log } from "../log/log.ts";
import { chainsOf, type Partitioned, startOfChain } from "../model/epochs.ts";
import type { Life } from "../model/names.ts";
import { edgeAt, type Position } from "../model/position.ts";

type Deps = { readonly log: Pick<Log, "placeOfTime"> };

type Stream = Partitioned & { readonly life: Life };

/**
 * Returns the positions that a difference since a cursor follows. Where the cursor has no position,
 * its reader has nothing from before its time. What the log has lost since then is in the list of
 * changes, so the difference begins at that time even below the log start offset. It begins at the
 * first event of the partition where the cursor has no time, or where nothing tells.
 */
export const positionsSince = (
  { log }: Deps,
  stream: Stream,
  { positions, since }: Pick<CursorContent, "positions" | "since">,
): Promise<Position[]> =>
  Promise.all(
    chainsOf(stream).map(async (partition) => {
      const known = positions[partition];
      if (known !== undefined) return known;
      if (since === undefined) return edgeAt(startOfChain(stream, partition));
      return log.placeOfTime(stream, partition, { since });
    }),
  );
