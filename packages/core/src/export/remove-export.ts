import { objectsOf } from "../model/names.ts";
import type { Objects } from "../objects/objects.ts";
import type { ExportRow } from "../table/export.entity.ts";
import type { Table } from "../table/table.ts";
import { exportPrefix } from "./part-plan.ts";

const TOGETHER = 500;

/**
 * Removes an export: its objects, also those that its row does not name, and then its row. May be
 * repeated after a crash.
 */
export async function removeExport(
  { table, objects }: { readonly table: Table; readonly objects: Objects },
  row: ExportRow,
): Promise<void> {
  const prefix = exportPrefix(objectsOf(row.name, row.uid), row);
  for (let more = true; more; ) {
    const page = await objects.list(prefix, undefined, TOGETHER);
    if (page.names.length > 0) await objects.remove(page.names);
    more = page.more;
  }
  await table.exports.remove(row.life, row.id);
}
