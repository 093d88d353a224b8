import { createBounded } from "../../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import { type Epoch, isDrained } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import type { Table } from "../../table/table.ts";

/** How long one read serves all polls that wait at the same position. */
const MEMORY_MS = 500;
const ENTRIES_MAX = 10_000;

/**
 * Checks whether there are events after a position. The result is at most half a second old, and
 * was strongly consistent then. This is the cheapest check: one read per partition, for any number
 * of polls. A partition of an earlier epoch that is read to its end has no new events.
 */
export function createNewEvents({
  table,
  clock,
}: {
  readonly table: Table;
  readonly clock: Clock;
}) {
  const looks = createBounded<{ found: Promise<boolean>; stamp: Stamp }>(ENTRIES_MAX);

  function hasAfter(life: Life, partition: number, next: number): Promise<boolean> {
    const name = `${life}#${partition}#${next}`;
    const known = looks.get(name);
    if (known !== undefined && ageMs(clock, known.stamp) < MEMORY_MS) return known.found;
    const stamp = takeStamp(clock);
    const found = table.batches
      .loadOutlines(life, partition, next, 1)
      .then(({ batches }) => batches.length > 0);
    looks.set(name, { found, stamp });
    return found;
  }

  return async (
    life: Life,
    positions: readonly (Position | undefined)[],
    among?: ReadonlySet<number>,
    epochs?: readonly Epoch[],
  ): Promise<boolean> => {
    const stream = { partitions: positions.length, epochs };
    const parts = await Promise.all(
      positions.map((at, partition) =>
        (among === undefined || among.has(partition)) && !isDrained(stream, partition, at)
          ? hasAfter(life, partition, at?.next ?? 1)
          : false,
      ),
    );
    return parts.includes(true);
  };
}
