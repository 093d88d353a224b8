import { ageMs, type Clock, takeStamp } from "../kernel/clock.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import type { CompactedRow } from "../table/compacted-row.ts";

/**
 * The maximum size of a group. DynamoDB accepts 4 MB in a transaction, but a large one delays other
 * writers.
 */
const GROUP_BYTES = 512 * 1024;
/**
 * If putting the rows of a section takes longer than this, the checkpoint moves in between. A run
 * that is cut short then leaves less work for the next one. A move costs one small write.
 */
const MOVE_EVERY_MS = 100;

/**
 * How the run continues: `on`, `cut` when its time is up, or `overtaken` when another run has done
 * its work.
 */
export type Outlook = "on" | "cut" | "overtaken";

/**
 * Puts rows, up to `together` of them with each write and `atOnce` writes at a time. From time to
 * time it calls `report` with the number of leading rows that are put, never two calls at once. It
 * stops when a report does not return "on". Returns how many leading rows are put, and the last
 * result of `report`.
 */
export async function putRows(
  clock: Clock,
  rows: Iterable<CompactedRow>,
  {
    together,
    atOnce,
    put,
    report,
  }: {
    readonly together: number;
    readonly atOnce: number;
    readonly put: (rows: readonly CompactedRow[]) => Promise<void>;
    readonly report: (rowsPut: number) => Promise<Outlook>;
  },
): Promise<{ rowsPut: number; outlook: Outlook }> {
  const done = new Map<number, number>();
  let started = 0;
  let first = 0;
  let rowsPut = 0;
  let reported = takeStamp(clock);
  let reporting = false;
  let outlook: Outlook = "on";
  await inParallel(inGroups(rows, together), atOnce, async (group) => {
    if (outlook !== "on") return;
    const index = started++;
    await put(group);
    done.set(index, group.length);
    for (let count = done.get(first); count !== undefined; count = done.get(first)) {
      done.delete(first++);
      rowsPut += count;
    }
    if (reporting || outlook !== "on" || ageMs(clock, reported) < MOVE_EVERY_MS) return;
    reporting = true;
    outlook = await report(rowsPut);
    reporting = false;
    reported = takeStamp(clock);
  });
  return { rowsPut, outlook };
}

function* inGroups(rows: Iterable<CompactedRow>, size: number): Generator<readonly CompactedRow[]> {
  let group: CompactedRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    group.push(row);
    bytes += row.payload?.length ?? 0;
    if (group.length < size && bytes < GROUP_BYTES) continue;
    yield group;
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}
