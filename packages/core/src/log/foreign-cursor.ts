import { type CursorContent, invalidCursor } from "../cursor/cursor.ts";
import type { LedgerError } from "../kernel/error.ts";
import { lifeOf, type ScopedName } from "../kernel/names.ts";
import type { Table } from "../table/table.ts";

type Stream = { readonly name: ScopedName; readonly uid: string; readonly partitions: number };

/** Tells whether a name had a life: the seal of its first chain stays for good. */
export const createFormerLives =
  (table: Table) =>
  async (name: ScopedName, uid: string): Promise<boolean> =>
    (await table.batches.loadLast(lifeOf(name, uid), 0)) !== undefined;

export type HadLife = ReturnType<typeof createFormerLives>;

/**
 * Why this stream refuses a cursor as one of another; undefined when the cursor is its own. A former
 * life is looked up under the stream's own name, tenant included, so a cursor of another tenant is
 * answered like one of any other stream.
 */
export async function foreignCursor(
  { hadLife }: { readonly hadLife: HadLife },
  { name, uid, partitions }: Stream,
  { streamUid, positions }: Pick<CursorContent, "streamUid" | "positions">,
): Promise<LedgerError | undefined> {
  if (streamUid !== uid) {
    return invalidCursor((await hadLife(name, streamUid)) ? "other-life" : "other-stream");
  }
  return positions.length > partitions ? invalidCursor("malformed") : undefined;
}

/** Throws `invalid-cursor` for a cursor of another stream or of a former life. */
export async function assertOfStream(
  log: { readonly hadLife: HadLife },
  stream: Stream,
  cursor: Pick<CursorContent, "streamUid" | "positions">,
): Promise<void> {
  const refusal = await foreignCursor(log, stream, cursor);
  if (refusal !== undefined) throw refusal;
}
