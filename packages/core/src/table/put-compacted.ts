import type { Life } from "../model/names.ts";
import { outcomeUnknown, readRows, writeRowsUntilKnown } from "./aws-error.ts";
import type { CompactedRow } from "./compacted-row.ts";
import { planVersions, sizeBelow, type Versions } from "./compacted-versions.ts";
import {
  mergeRequest,
  readVersions,
  replaceRequest,
  sendRow,
  sendRows,
} from "./compacted-writes.ts";
import type { Connection } from "./connection.ts";
import { transact } from "./transaction.ts";

/** The checkpoint that rows follow. */
export type Checked = { readonly next: number; readonly isCurrent?: () => Promise<boolean> };

/**
 * Puts rows of different keys, except those whose stored row is at least as new. The checkpoint
 * that these rows follow is at `next`. The whole content is replaced, so an update over a
 * tombstone removes its expiry. A single row is a plain write, which costs half as much.
 * Several rows are a transaction, which is sent again without the rows that are not newer.
 * Repeating the call is harmless. Returns for each row the size of its key's last version below
 * `next`, or undefined if that is unknown. Where rows of another run are in the way, `isCurrent`
 * tells whether the checkpoint is still where this run has left it. If it is not, the rows of the
 * other run stay as they are: they may follow a later checkpoint, so an earlier version has no
 * place among theirs.
 */
export async function putIfNewer(
  connection: Connection,
  life: Life,
  rows: readonly CompactedRow[],
  { next, isCurrent = async () => true }: Checked,
): Promise<(number | undefined)[]> {
  const put = (row: CompactedRow) => putOne(connection, life, row, { next, isCurrent });
  const sizes = new Map<CompactedRow, number | undefined>();
  let left = rows;
  while (left.length > 1) {
    const together = left;
    const reasons = await transact(connection, () => sendRows(connection, life, together, next));
    const isRefused = (at: number) => reasons?.[at]?.code === "ConditionalCheckFailed";
    if (reasons === undefined) {
      const stored = await readRows(connection, () => readVersions(connection, life, together));
      for (const [at, row] of together.entries()) sizes.set(row, sizeBelow(stored[at], next));
      left = [];
      break;
    }
    for (const [at, row] of left.entries()) {
      if (isRefused(at)) sizes.set(row, await put(row));
    }
    left = left.filter((_, at) => !isRefused(at));
  }
  for (const row of left) sizes.set(row, await put(row));
  return rows.map((row) => sizes.get(row));
}

/** Puts one row, and merges it with the row of a run that has met this one. */
async function putOne(
  connection: Connection,
  life: Life,
  row: CompactedRow,
  { next, isCurrent }: Required<Checked>,
): Promise<number | undefined> {
  const { table } = connection;
  let stored: Versions | undefined;
  for (let meeting = 0; meeting < MEETINGS_MAX; meeting++) {
    const plan = stored && planVersions(stored, row, next);
    if (stored !== undefined && plan === undefined) return sizeBelow(stored, next);
    if (plan !== undefined && !(await isCurrent())) return undefined;
    const request =
      stored === undefined || plan === undefined
        ? replaceRequest(table, life, row, next)
        : mergeRequest(table, life, row, stored, plan);
    const sent = await writeRowsUntilKnown(connection, () => sendRow(connection, request));
    if (sent.kind === "written") return sizeBelow(sent.former, next);
    stored = sent.stored;
  }
  throw outcomeUnknown(new Error("other runs keep changing a row of the compacted state"));
}

/** The number of other runs that may change a row while it is put. */
const MEETINGS_MAX = 20;
