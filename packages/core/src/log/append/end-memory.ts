import { createBounded } from "../../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import { TurnReached } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { Sightings } from "../../model/sightings.ts";
import { type Batch, type BatchOutline, lastsUntil } from "../../table/batch.ts";
import type { Table } from "../../table/table.ts";
import { type End, isBelow, loadEnd } from "../end.ts";
import { assertMayPublish } from "../guard.ts";
import type { AppendPlan } from "./append-plan.ts";

/** Reads older than this are not used for decisions. */
export const MEMORY_MS = MINUTE_MS;
const ENTRIES_MAX = 10_000;

/**
 * `guarded` is when the guards against stalled compaction were last checked. `shared`: other
 * processes had written when this process last lost a race or looked.
 */
type RememberedEnd = End & { readonly guarded: Stamp; readonly shared: boolean };

/**
 * Before a put to a shared partition, an end older than this is read again. A read costs a read
 * unit. A lost race costs a write unit, which is five times as much. So the read pays off as soon
 * as others append twice a second.
 */
const STALE_MS = 100;

/**
 * The ends of partitions as this process knows them. An outdated end costs a lost race and nothing
 * else, because a batch is put only where no batch is. An end must be younger than a minute, so
 * that no batch after it can have expired or been removed.
 */
export function createEndMemory(deps: {
  readonly table: Table;
  readonly clock: Clock;
  readonly sightings?: Sightings | undefined;
}) {
  const { table, clock, sightings } = deps;
  const ends = createBounded<RememberedEnd>(ENTRIES_MAX);
  const nameOf = (life: Life, partition: number) => `${life}#${partition}`;

  /**
   * Returns the ends to append at. Remembered ends suffice unless `contested`. With other writers,
   * a read of the last batch is cheaper than a race that is certainly lost. Throws
   * `stream-not-found`, `TurnReached` and the errors of `assertMayPublish`.
   */
  async function load(
    life: Life,
    partitions: Iterable<number>,
    { contested }: { contested: boolean },
  ): Promise<Map<number, End>> {
    const loaded = Array.from(partitions, async (partition) => {
      const known = recallOne(life, partition);
      if (known === undefined) return [partition, await lookAtEnd(life, partition)] as const;
      const looks = contested || isStale(known);
      return [partition, looks ? await lookAgain(life, partition, known) : known] as const;
    });
    return new Map(await Promise.all(loaded));
  }

  /** Returns the ends without a read, if all of them are remembered and likely to be current. */
  function recall(life: Life, partitions: Iterable<number>): Map<number, End> | undefined {
    const known = new Map<number, End>();
    for (const partition of partitions) {
      const end = recallOne(life, partition);
      if (end === undefined || isStale(end)) return undefined;
      known.set(partition, end);
    }
    return known;
  }

  function recallOne(life: Life, partition: number): RememberedEnd | undefined {
    const memory = ends.get(nameOf(life, partition));
    const fresh =
      memory !== undefined &&
      ageMs(clock, memory.stamp) < MEMORY_MS &&
      ageMs(clock, memory.guarded) < MEMORY_MS;
    return fresh ? memory : undefined;
  }

  const isStale = ({ shared, stamp }: RememberedEnd): boolean =>
    shared && ageMs(clock, stamp) > STALE_MS;

  async function lookAtEnd(life: Life, partition: number): Promise<End> {
    const end = await loadEnd(deps, life, partition);
    if (end.sealed) throw streamNotFound();
    if (end.turned) throw new TurnReached();
    assertMayPublish(end, clock.now());
    const before = ends.get(nameOf(life, partition));
    const shared = before !== undefined && before.next !== end.next;
    keep(life, partition, { ...end, guarded: end.stamp, shared });
    return end;
  }

  /**
   * Uses one read instead of two. No batch after an end known for less than a minute can have
   * expired, so the last batch shows the end without the checkpoint. Only what is new since then is
   * read, because the last batch may be large.
   */
  async function lookAgain(life: Life, partition: number, known: RememberedEnd): Promise<End> {
    const stamp = takeStamp(clock);
    const last = await table.batches.loadLast(life, partition, known.next);
    if (last?.kind === "seal") throw streamNotFound();
    if (last?.kind === "turn") throw new TurnReached();
    if (last === undefined || isBelow(last, known.next)) {
      keep(life, partition, { ...known, shared: false });
      return known;
    }
    const end = { ...endBehind(last), stamp, guarded: known.guarded, shared: true };
    keep(life, partition, end);
    return end;
  }

  /** Remembers the ends of batches that this process has written. */
  function written(life: Life, plan: AppendPlan, stamp: Stamp): void {
    for (const [partition, end] of plan.ends) {
      sightings?.sawEnd(life, partition, end.next);
      learn(life, partition, end, stamp);
    }
  }

  /**
   * Batches of other writers occupied the places of this plan. Remembers their ends, and returns
   * their partitions.
   */
  function lost(
    life: Life,
    { append: { batches } }: AppendPlan,
    found: readonly (Batch | undefined)[],
    stamp: Stamp,
  ): Set<number> {
    const partitions = new Set<number>();
    for (const [index, { partition }] of batches.entries()) {
      const batch = found[index];
      if (batch === undefined || partitions.has(partition)) continue;
      partitions.add(partition);
      learn(life, partition, endBehind(batch), stamp, { shared: true });
    }
    return partitions;
  }

  /** The chain continues after this batch. */
  const seen = (life: Life, partition: number, last: Batch, stamp: Stamp): void =>
    learn(life, partition, endBehind(last), stamp);

  function learn(
    life: Life,
    partition: number,
    end: Omit<End, "stamp">,
    stamp: Stamp,
    { shared }: { shared?: true } = {},
  ): void {
    const known = ends.get(nameOf(life, partition));
    if (known === undefined) return;
    const now = { ...end, stamp, guarded: known.guarded, shared: shared ?? known.shared };
    keep(life, partition, now);
  }

  function keep(life: Life, partition: number, end: RememberedEnd): void {
    ends.set(nameOf(life, partition), end);
  }

  function forget(life: Life, partitions: Iterable<number>): void {
    for (const partition of partitions) ends.delete(nameOf(life, partition));
  }

  /** Returns what is known about an end, however old. Do not append there. */
  const peek = (life: Life, partition: number): End | undefined =>
    ends.get(nameOf(life, partition));

  return { load, recall, peek, written, lost, seen, forget };
}

export type EndMemory = ReturnType<typeof createEndMemory>;

const endBehind = (batch: BatchOutline): Omit<End, "stamp"> => ({
  next: batch.first + batch.count,
  publishedAt: batch.publishedAt,
  expiresAt: lastsUntil(batch) ?? 0,
  ticket: batch.ticket,
  free: batch.free,
});
