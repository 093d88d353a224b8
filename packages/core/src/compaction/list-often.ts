import type { Clock } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import type { Random } from "../kernel/random.ts";
import type { Life } from "../model/names.ts";
import type { Table } from "../table/table.ts";
import { LISTED_AT_ONCE, listChanges } from "./list-changes.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };
type Stream = { readonly life: Life; readonly compaction: "key" | "none" };

/**
 * Lists the changes of a partition when compaction passes a multiple of some thousand sequences. No
 * read is needed to know that, and few rows are written. What is not listed is still in the log.
 */
export async function listOften(
  deps: Deps,
  { life, compaction }: Stream,
  {
    partition,
    from,
    to,
  }: { readonly partition: number; readonly from: number; readonly to: number },
): Promise<void> {
  const isDue = Math.floor(from / LISTED_AT_ONCE) < Math.floor(to / LISTED_AT_ONCE);
  if (!isDue || compaction === "none") return;
  await listChanges(deps, { life, partition }, { until: to }).catch(unlessBusy);
}

/** Another process lists the same changes. Throws every other error. */
function unlessBusy(error: unknown): void {
  if (!(error instanceof LedgerError && error.code === "stream-busy")) throw error;
}

/**
 * Lists the changes up to the checkpoint before the floor moves over them, because they leave the
 * log then. Returns how far the floor may move.
 */
export async function listBeforeFloor(
  deps: Deps,
  { life, compaction }: Stream,
  {
    partition,
    floor,
    next,
  }: { readonly partition: number; readonly floor: number; readonly next: number },
): Promise<number> {
  if (compaction === "none") return floor;
  const known = await deps.table.changes.load(life, partition);
  if (known !== undefined && known.to >= floor) return floor;
  const { to } = await listChanges(deps, { life, partition }, { until: next });
  return Math.min(floor, to);
}
