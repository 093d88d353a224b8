import { objectsOf } from "../model/names.ts";
import { type Objects, ObjectsLocked } from "../objects/objects.ts";
import type { DeletedPage } from "../table/in-part.ts";
import type { RemovalRow } from "../table/removal.entity.ts";
import type { Table } from "../table/table.ts";

const OBJECTS = 500;
const SEGMENTS = 25;

/**
 * Removes a page of the archive of an ended life: first its objects, including those that no row
 * names, then the rows of the segments. `isLocked` says that everything left is locked. May be
 * repeated after a crash.
 */
export async function removeArchivePage(
  { table, objects }: { readonly table: Table; readonly objects: Objects },
  { life, name, uid, partitions }: RemovalRow,
): Promise<DeletedPage & { readonly isLocked?: true }> {
  const { removed, locked } = await removeObjects(objects, objectsOf(name, uid));
  if (removed > 0) return { rows: removed, more: true };
  if (locked > 0) return { rows: 0, more: false, isLocked: true };
  for (let partition = 0; partition < partitions; partition++) {
    const place = { life, partition };
    const { segments } = await table.segments.loadFrom(place, 0, SEGMENTS);
    for (const { first } of segments) await table.segments.remove(place, first);
    if (segments.length > 0) return { rows: segments.length, more: true };
  }
  return { rows: 0, more: false };
}

/** Removes the first objects with a prefix that are not locked. Returns the numbers of both. */
async function removeObjects(
  objects: Objects,
  prefix: string,
): Promise<{ readonly removed: number; readonly locked: number }> {
  let locked = 0;
  for (let after: string | undefined; ; ) {
    const { names, more } = await objects.list(prefix, after, OBJECTS);
    const kept = (await removeUnlocked(objects, names)).length;
    locked += kept;
    if (kept < names.length || !more) return { removed: names.length - kept, locked };
    after = names.at(-1);
  }
}

/** Removes objects. Returns the names of those that a lock keeps. */
async function removeUnlocked(
  objects: Objects,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  try {
    await objects.remove(names);
    return [];
  } catch (error) {
    if (error instanceof ObjectsLocked) return error.names;
    throw error;
  }
}
