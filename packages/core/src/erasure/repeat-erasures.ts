import { lifeOf, type ScopedName } from "../model/names.ts";
import type { LostRange } from "../model/restored.ts";
import type { Objects } from "../objects/objects.ts";
import type { ErasureRow } from "../table/erasure.entity.ts";
import type { Table } from "../table/table.ts";
import { loadRecords } from "./erasure-records.ts";

type Deps = { readonly table: Table; readonly objects: Objects };
type Restored = { readonly name: ScopedName; readonly uid: string };

/**
 * Begins the erasures again that a restore of the table has undone, in part or as a whole. `lost`
 * has the numbers of each partition that the restore has lost. Nothing is erased yet: the sweeps do
 * that, as soon as the stream is available. May be repeated after a crash.
 */
export async function repeatErasures(
  { table, objects }: Deps,
  { name, uid }: Restored,
  lost: ReadonlyMap<number, readonly LostRange[]>,
): Promise<void> {
  const life = lifeOf(name, uid);
  for (const record of await loadRecords(objects, { name, uid })) {
    const known = await table.erasures.load(life, record.id);
    if (known?.phase === "done") continue;
    if (known === undefined) {
      const start = { phase: "announce", chain: 0, at: 0, version: 0, isRepeated: true } as const;
      await table.erasures.create({ life, name, uid, ...record, ...start });
    } else await beginAgain(table, known, lost);
  }
}

/** The rows of a copy may be from before those that the erasure has passed. */
async function beginAgain(
  table: Table,
  row: ErasureRow,
  lost: ReadonlyMap<number, readonly LostRange[]>,
): Promise<void> {
  const { tombstone, chains = [] } = row;
  const ranges = lost.get(chains.at(-1)?.partition ?? 0) ?? [];
  const isKept =
    tombstone !== undefined && !ranges.some(({ from, to }) => tombstone >= from && tombstone < to);
  const phase = isKept ? "state" : "announce";
  await table.erasures.change(row, { phase, chain: 0, at: 0, isRepeated: true });
}
