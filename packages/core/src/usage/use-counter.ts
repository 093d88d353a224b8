import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Tenant } from "../model/names.ts";
import { dayOf, hourOf } from "../model/usage.ts";
import type { Table } from "../table/table.ts";
import type { UsedCounts } from "../table/usage.entity.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/** A key that uses a stream. `stream` is a name without its tenant, or `NO_STREAM`. */
export type User = { readonly tenant: Tenant; readonly keyId: string; readonly stream: string };

type Entry = User & {
  writtenAt: Stamp | undefined;
  /** The counts that are not in the table, by hour. */
  counts: Map<number, Partial<UsedCounts>>;
};

/** A row is written at most this often by one process. */
const WRITE_EVERY_MS = MINUTE_MS;

/**
 * Counts the use of streams in this process, and adds it to the table. The first use is added at
 * once, further uses at most once a minute for each key and stream. So a crash loses less than a
 * minute of them. If the table does not confirm an addition, it is not repeated, so no use is
 * counted twice.
 */
export function createUseCounter({ table, clock }: Deps) {
  const entries = new Map<string, Entry>();
  let due = new Set<Entry>();
  let checkedAt: Stamp | undefined;

  /** Adds to the counts of a user, without any request to the table. */
  function note(user: User, by: Partial<UsedCounts>): void {
    const name = `${user.tenant} ${user.keyId} ${user.stream}`;
    const entry = entries.get(name) ?? { ...user, writtenAt: undefined, counts: new Map() };
    entries.set(name, entry);
    const hour = hourOf(clock.now());
    entry.counts.set(hour, sumOf(entry.counts.get(hour) ?? {}, by));
    if (isDue(entry)) due.add(entry);
  }

  const isDue = ({ writtenAt }: Entry): boolean =>
    writtenAt === undefined || ageMs(clock, writtenAt) >= WRITE_EVERY_MS;

  /** Finds the users that have stopped, once a minute. */
  function findDue(): void {
    checkedAt ??= takeStamp(clock);
    if (ageMs(clock, checkedAt) < WRITE_EVERY_MS) return;
    checkedAt = takeStamp(clock);
    for (const [name, entry] of entries) {
      if (!isDue(entry)) continue;
      if (entry.counts.size > 0) due.add(entry);
      else entries.delete(name);
    }
  }

  async function write(entry: Entry): Promise<void> {
    const { tenant, keyId, stream, counts } = entry;
    entry.counts = new Map();
    entry.writtenAt = takeStamp(clock);
    for (const [hour, by] of counts) {
      await table.usage
        .add({ tenant, day: dayOf(hour), keyId, stream, hour, ...by })
        .catch(() => {});
    }
  }

  /** Adds the counts that are due to the table, or all of them with `all`. Never rejects. */
  async function flush({ all }: { readonly all: boolean } = { all: false }): Promise<void> {
    findDue();
    if (all) for (const entry of entries.values()) if (entry.counts.size > 0) due.add(entry);
    if (due.size === 0) return;
    const writes = [...due];
    due = new Set();
    await Promise.all(writes.map(write));
  }

  return { note, flush };
}

const sumOf = (a: Partial<UsedCounts>, b: Partial<UsedCounts>): Partial<UsedCounts> => {
  const sum: { -readonly [Name in keyof UsedCounts]?: number } = { ...a };
  for (const [name, by] of Object.entries(b) as [keyof UsedCounts, number][]) {
    if (by !== 0) sum[name] = (sum[name] ?? 0) + by;
  }
  return sum;
};
