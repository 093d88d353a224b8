import type { Stream } from "@eventledger/protocol";
import { formatListCursor, parseListCursor } from "../cursor/cursor.ts";
import { bareName, type ScopedName, scopeName, type Tenant } from "../model/names.ts";
import type { NameRange } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import { toStream } from "./stream-info.ts";

/**
 * A page of a tenant's streams by name, of those within ranges of names that are in order and do not
 * overlap; one look into the table per range at most.
 */
export async function listStreams(
  table: Table,
  tenant: Tenant,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  ranges: readonly NameRange[],
): Promise<{ streams: Stream[]; cursor: string | null }> {
  const after =
    cursor === undefined ? undefined : scopeName(tenant, parseListCursor("streams", cursor));
  const streams: Stream[] = [];
  let next: ScopedName | null = null;
  for (const range of ranges) {
    const last = streams.at(-1);
    if (last !== undefined && streams.length >= limit) next = scopeName(tenant, last.name);
    if (next !== null) break;
    const page = await table.streams.list(tenant, limit - streams.length, after, range);
    streams.push(...page.streams.map(toStream));
    next = page.next;
  }
  return { streams, cursor: next === null ? null : formatListCursor("streams", bareName(next)) };
}
