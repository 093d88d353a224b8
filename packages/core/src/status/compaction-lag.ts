import type { Clock } from "../kernel/clock.ts";
import { inParallel, mapInParallel } from "../kernel/in-parallel.ts";
import { lifeOf, type ScopedName } from "../model/names.ts";
import { allStreams } from "../stream/all-streams.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import { measureStream } from "./stream-info.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/** One after another, 10,000 streams would take minutes. */
const STREAMS_AT_ONCE = 16;

/**
 * Returns the lag of compaction in seconds: the age of the oldest event that is not compacted, in
 * these streams, or in all if none are given. It costs a few reads per partition.
 */
export async function measureCompactionLag(
  { table, clock }: Deps,
  names?: Iterable<ScopedName>,
): Promise<number> {
  const rows = names === undefined ? await listRows(table) : await loadRows(table, names);
  let seconds = 0;
  await inParallel(rows, STREAMS_AT_ONCE, async (row) => {
    if (row?.status !== "live" || row.copied) return;
    const stream = { ...row, life: lifeOf(row.name, row.uid) };
    const { watermarkLag } = await measureStream({ table, clock }, stream);
    seconds = Math.max(seconds, watermarkLag.seconds);
  });
  return seconds;
}

async function listRows(table: Table): Promise<StreamRow[]> {
  const rows: StreamRow[] = [];
  for await (const row of allStreams(table)) rows.push(row);
  return rows;
}

const loadRows = (table: Table, names: Iterable<ScopedName>) =>
  mapInParallel([...new Set(names)], STREAMS_AT_ONCE, (name) => table.streams.load(name));
