import { type CursorContent, invalidCursor } from "../../cursor/cursor.ts";
import type { LedgerError } from "../../kernel/error.ts";
import { chainCount, type Partitioned, startOfChain, TurnReached } from "../../model/epochs.ts";
import { type Life, lifeOf, lifeText, parseLifeText, type ScopedName } from "../../model/names.ts";
import { isLost, type LostRange, type Restored, restoredEnd } from "../../model/restored.ts";
import type { Table } from "../../table/table.ts";

type Stream = Partitioned & {
  readonly name: ScopedName;
  readonly uid: string;
  readonly life: Life;
  readonly restored?: Restored;
};

/** Finds out whether a name had a life. The seal of its first chain is never removed. */
export const createFormerLives =
  (table: Table) =>
  async (name: ScopedName, uid: string): Promise<boolean> =>
    (await table.batches.loadLast(lifeOf(name, uid), 0)) !== undefined;

/** The dependencies for judging a cursor. See `createLog`. */
export type CursorFacts = {
  readonly hadLife: ReturnType<typeof createFormerLives>;
  lostBy(life: Life, partition: number, id: string): Promise<readonly LostRange[]>;
};

/**
 * Throws `invalid-cursor` for a cursor of a different stream or of an earlier life, and for one
 * that covers events lost in a restore. Throws `TurnReached` for one that covers partitions which
 * the view of the stream lacks. An earlier life is looked up under the stream's own name,
 * tenant included. So a cursor of a different tenant gets the same answer as one of any other
 * stream.
 */
export async function assertOfStream(
  log: CursorFacts,
  stream: Stream,
  cursor: CursorContent,
): Promise<void> {
  const { uid } = parseLifeText(cursor.life);
  if (uid !== stream.uid) {
    throw invalidCursor((await log.hadLife(stream.name, uid)) ? "other-life" : "other-stream");
  }
  if (cursor.positions.length > chainCount(stream)) {
    // A restore may have lost the epochs that it covers.
    if (!isOfThisRestore(stream, cursor)) throw restored();
    throw new TurnReached();
  }
  await assertNotLost(log, stream, cursor);
}

/** Returns whether a cursor was created since the last restore of the table. */
export const isOfThisRestore = (stream: Stream, { life }: CursorContent): boolean =>
  life === lifeText(stream);

/**
 * Refuses a cursor from before a restore that covers more than the restore kept, in the log or,
 * while a snapshot is read, in the compacted state. Also refuses a cursor from an abandoned copy of
 * the table.
 */
async function assertNotLost(log: CursorFacts, stream: Stream, cursor: CursorContent) {
  if (isOfThisRestore(stream, cursor)) return;
  const next = restoreAfter(stream, parseLifeText(cursor.life).restoredAt);
  if (stream.restored === undefined || next === undefined) throw restored();
  const { id } = stream.restored;
  const { positions, bootstrap } = cursor;
  await Promise.all(
    positions.map(async (position, partition) => {
      const read = Math.max(position?.next ?? 0, bootstrap?.exactFrom[partition] ?? 0);
      // The cursor covers nothing here. It may be from before the epoch of this partition.
      if (read === 0 || read === startOfChain(stream, partition)) return;
      const lost = await log.lostBy(stream.life, partition, id);
      // A partition without such an end was made after the restore. The cursor covers a lost one.
      const end = restoredEnd(lost, next) ?? 0;
      if (read > end || isLost(lost, read) || isLost(lost, position?.next ?? 0)) throw restored();
    }),
  );
}

/**
 * Returns the id of the restore that follows the time `at`. Undefined unless `at` is itself the
 * time of a restore of this table, or 0 for its beginning.
 */
function restoreAfter({ restored: last }: Stream, at: number): string | undefined {
  if (last === undefined) return undefined;
  const marks = [{ id: "", at: 0 }, ...last.before, last];
  const index = marks.findIndex((mark) => mark.at === at);
  return index === -1 ? undefined : marks[index + 1]?.id;
}

const restored = (): LedgerError => invalidCursor("restored");
