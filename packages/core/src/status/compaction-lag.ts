import type { Clock } from "../kernel/clock.ts";
import { lifeOf, type ScopedName } from "../model/names.ts";
import { allStreams } from "../stream/all-streams.ts";
import type { Table } from "../table/table.ts";
import { measureStream } from "./stream-info.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/**
 * Returns the lag of compaction in seconds: the age of the oldest event that is not compacted, in
 * these streams, or in all if none are given. It costs a few reads per partition.
 */
export async function measureCompactionLag(
  { table, clock }: Deps,
  names?: Iterable<ScopedName>,
): Promise<number> {
  let seconds = 0;
  for (const name of new Set(names ?? (await listNames(table)))) {
    const row = await table.streams.load(name);
    if (row?.status !== "live" || row.copied) continue;
    const stream = { ...row, life: lifeOf(name, row.uid) };
    const { watermarkLag } = await measureStream({ table, clock }, stream);
    seconds = Math.max(seconds, watermarkLag.seconds);
  }
  return seconds;
}

async function listNames(table: Table): Promise<ScopedName[]> {
  const names: ScopedName[] = [];
  for await (const { name } of allStreams(table)) names.push(name);
  return names;
}
