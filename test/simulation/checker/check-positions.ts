import type { Chains, Report } from "./chains.ts";
import type { Info, Invoke, Ok, Page } from "./history.ts";

type Bounds = {
  /** The minimum of the committed position, from commits that were answered. */
  readonly lower: number[];
  /**
   * The maximum of the committed position, from commits that were sent and the start of the first
   * page.
   */
  readonly upper: number[];
};

/** The knowledge about the committed positions of every generation of every subscription. */
export type Positions = {
  invokeCommit(invoke: Invoke & { op: "commit" }): void;
  endCommit(invoke: Invoke & { op: "commit" }, ok: Ok & { op: "commit" }): void;
  /**
   * Returns the current lower bounds. The caller may keep them, because later commits do not change
   * what was returned.
   */
  lowerNow(): ReadonlyMap<string, readonly number[]>;
  /**
   * Returns whether an empty page may be from before a seek. While there is nothing to deliver, a
   * server may not know of the seek so far.
   */
  isOutdated(page: Page): boolean;
  /** Checks that a page from the committed position begins within the bounds. */
  checkStart(
    page: Page & { atMs: number },
    starts: readonly number[],
    lower: ReadonlyMap<string, readonly number[]>,
    what: string,
    rules: { report: Report; past: (partition: number, next: number) => number },
  ): void;
  /** Returns the last position that was seen in the store. Undefined the first time. */
  see(line: Info & { op: "offset" }): number | undefined;
  copy(line: Info & { op: "copied" }): void;
  /** Resets the committed positions to those of the copied table. */
  restore(line: Info & { op: "restored" }): void;
};

type Copy = {
  readonly lowers: ReadonlyMap<string, readonly number[]>;
  readonly seen: ReadonlyMap<string, number>;
  readonly generations: ReadonlyMap<string, number>;
};

export function createPositions(): Positions {
  const bounds = new Map<string, Bounds>();
  let seen = new Map<string, number>();
  let generations = new Map<string, number>();
  const copies = new Map<number, Copy>();
  let lowers: ReadonlyMap<string, readonly number[]> = new Map();
  const of = (subscription: string, generation: number): Bounds => {
    const id = idOf(subscription, generation);
    const known = bounds.get(id) ?? { lower: [], upper: [] };
    bounds.set(id, known);
    return known;
  };
  return {
    invokeCommit: ({ subscription, generation, to }) =>
      raise(of(subscription, generation).upper, to),
    endCommit: ({ subscription, generation }, { committed }) => {
      const { lower } = of(subscription, generation);
      raise(lower, committed);
      lowers = new Map(lowers).set(idOf(subscription, generation), [...lower]);
    },
    lowerNow: () => lowers,
    isOutdated: ({ subscription = "", generation = 0, events }) => {
      const known = Math.max(generations.get(subscription) ?? 0, generation);
      generations.set(subscription, known);
      return generation < known && events.length === 0;
    },
    checkStart: (page, starts, lower, what, { report, past }) => {
      const { subscription, generation, events } = page;
      // An empty page may describe the state of some seconds ago. See `isOutdated`.
      if (subscription === undefined || generation === undefined || events.length === 0) return;
      const { upper } = of(subscription, generation);
      const least = lower.get(idOf(subscription, generation)) ?? [];
      starts.forEach((start, partition) => {
        const begun = `${what}: partition ${partition} begins at ${start}`;
        const committed = least[partition] ?? 0;
        if (past(partition, start) < past(partition, committed)) {
          report("offset-regress", page.atMs, `${begun}, committed was ${committed}`);
        }
        const most = upper[partition];
        if (most === undefined) upper[partition] = start;
        else if (past(partition, start) > past(partition, most))
          report("poll-skip", page.atMs, `${begun}, committed at most ${most}`);
      });
    },
    see: ({ life, subscription, generation, partition, next }) => {
      const id = `${life}/${idOf(subscription, generation)}/${partition}`;
      const before = seen.get(id);
      seen.set(id, next);
      return before;
    },
    copy: ({ copy }) => {
      copies.set(copy, { lowers, seen: new Map(seen), generations: new Map(generations) });
    },
    restore: ({ copy, lives }) => {
      const kept = copies.get(copy);
      lowers = kept?.lowers ?? new Map();
      for (const [id, of] of bounds) of.lower.splice(0, Infinity, ...(lowers.get(id) ?? []));
      generations = new Map(kept?.generations);
      seen = new Map(
        Array.from(kept?.seen ?? []).flatMap(([id, next]) =>
          lives.flatMap(({ from, to }) =>
            id.startsWith(`${from}/`) ? [[`${to}${id.slice(from.length)}`, next]] : [],
          ),
        ) as [string, number][],
      );
    },
  };
}

const idOf = (subscription: string, generation: number): string => `${subscription}@${generation}`;

function raise(bounds: number[], to: readonly number[]): void {
  to.forEach((next, partition) => {
    bounds[partition] = Math.max(bounds[partition] ?? 0, next);
  });
}

/**
 * Checks that a committed position in the store never decreases within a generation and never
 * passes the end.
 */
export function checkPosition(
  { positions, chains, report }: { positions: Positions; chains: Chains; report: Report },
  line: Info & { op: "offset" },
): void {
  const { life, subscription, partition, next, atMs } = line;
  const before = positions.see(line);
  const what = `${subscription} in partition ${partition} of ${life}`;
  if (before !== undefined && next < before) {
    report("offset-regress", atMs, `${what}: ${next} after ${before}`);
  }
  const chain = chains.of(life, partition);
  const end = chain?.next ?? 1;
  const jumps = chain?.jumps ?? [];
  // A jump may begin within what an earlier one has skipped. Nothing is lost at its beginning.
  const isLost =
    jumps.some(({ from, to }) => from < next && next < to) &&
    jumps.every(({ from }) => from !== next);
  if (isLost) report("silent-restore", atMs, `${what}: ${next} is committed, and it is lost`);
  if (next > end) report("future-commit", atMs, `${what}: ${next}, the end is ${end}`);
}
