import { createBounded } from "../../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import type { Table } from "../../table/table.ts";

/** Many wait at the same place; one look serves all of them for this long. */
const MEMORY_MS = 500;
const ENTRIES_MAX = 10_000;

/**
 * Whether there are no events after a place, as of half a second ago at most, strongly consistent
 * then. The cheapest check there is: one read per partition that finds nothing, however many polls
 * ask.
 */
export function createQuiet({ table, clock }: { readonly table: Table; readonly clock: Clock }) {
  const looks = createBounded<{ quiet: Promise<boolean>; stamp: Stamp }>(ENTRIES_MAX);

  function isQuietAt(life: Life, partition: number, next: number): Promise<boolean> {
    const name = `${life}#${partition}#${next}`;
    const known = looks.get(name);
    if (known !== undefined && ageMs(clock, known.stamp) < MEMORY_MS) return known.quiet;
    const stamp = takeStamp(clock);
    const quiet = table.batches
      .loadOutlines(life, partition, next, 1)
      .then(({ batches }) => batches.length === 0);
    looks.set(name, { quiet, stamp });
    return quiet;
  }

  return async (
    life: Life,
    positions: readonly (Position | undefined)[],
    among?: ReadonlySet<number>,
  ): Promise<boolean> => {
    const parts = await Promise.all(
      positions.map((at, partition) =>
        among === undefined || among.has(partition)
          ? isQuietAt(life, partition, at?.next ?? 1)
          : true,
      ),
    );
    return parts.every((quiet) => quiet);
  };
}
