import { LIMITS, type ListedStream } from "@eventledger/protocol";
import type { Cursors } from "../cursor/cursor.ts";
import { formatListCursor } from "../cursor/list-cursor.ts";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { mapInParallel } from "../kernel/in-parallel.ts";
import { measuredTogether, type StatsPage, withinPositions } from "../kernel/list-page.ts";
import { chainCount } from "../model/epochs.ts";
import {
  bareName,
  isAuditStream,
  lifeOf,
  type ScopedName,
  scopeName,
  type Tenant,
} from "../model/names.ts";
import type { NameRange } from "../table/directory.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import { measureStream, toStream } from "./stream-info.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly cursors: Cursors };

/**
 * Returns a page of a tenant's streams by name, limited to ranges of names. The ranges are in order
 * and do not overlap. Each range costs at most one query. With `stats` each stream has its numbers,
 * and the page ends before these need too many reads. The audit stream is not listed.
 */
export async function listStreams(
  deps: Deps,
  tenant: Tenant,
  page: StatsPage,
  ranges: readonly NameRange[],
): Promise<{ streams: ListedStream[]; cursor: string | null }> {
  const { rows, next } = await loadRows(deps, tenant, page, ranges);
  if (!page.stats) return { streams: rows.map(toStream), cursor: cursorAt(next) };
  const some = withinPositions(rows, chainCount);
  const atOnce = measuredTogether(Math.max(1, ...some.map(chainCount)));
  const measured = await mapInParallel(some, atOnce, (row) => measure(deps, row));
  const end = some.length < rows.length ? (some.at(-1)?.name ?? null) : next;
  return { streams: measured.flat(), cursor: cursorAt(end) };
}

async function loadRows(
  { table, cursors }: Deps,
  tenant: Tenant,
  { limit, cursor, stats }: StatsPage,
  ranges: readonly NameRange[],
): Promise<{ rows: StreamRow[]; next: ScopedName | null }> {
  const most = stats ? Math.min(limit, LIMITS.streamPositionsMax) : limit;
  const after =
    cursor === undefined ? undefined : scopeName(tenant, cursors.parseListed("streams", cursor));
  const rows: StreamRow[] = [];
  let next: ScopedName | null = null;
  for (const range of ranges) {
    if (rows.length >= most) next = rows.at(-1)?.name ?? null;
    if (next !== null) break;
    let from = after;
    do {
      const page = await table.directory.list(tenant, most - rows.length, from, range);
      rows.push(...page.streams.filter(({ name }) => !isAuditStream(name)));
      next = page.next;
      from = next ?? undefined;
    } while (next !== null && rows.length < most);
  }
  return { rows, next };
}

const cursorAt = (next: ScopedName | null): string | null =>
  next === null ? null : formatListCursor("streams", bareName(next));

/**
 * Returns a stream with its numbers. A copy has none, and a stream deleted since then has no entry.
 */
async function measure(
  { table, clock }: Omit<Deps, "cursors">,
  row: StreamRow,
): Promise<ListedStream[]> {
  const { name, uid, copied } = row;
  if (copied) return [toStream(row)];
  const most = LIMITS.listedSubscriptionsMax;
  try {
    const [numbers, { count, next }] = await Promise.all([
      measureStream({ table, clock }, { ...row, life: lifeOf(name, uid) }),
      table.subscriptions.countFrom(name, uid, most, undefined),
    ]);
    const counted = next === null ? { subscriptionCount: count } : {};
    return [{ ...toStream(row), ...numbers, ...counted }];
  } catch (error) {
    if (error instanceof LedgerError && error.code === "stream-not-found") return [];
    throw error;
  }
}
