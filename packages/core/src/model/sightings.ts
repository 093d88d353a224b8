import { createBounded } from "../kernel/bounded.ts";
import type { Clock } from "../kernel/clock.ts";
import { HOUR_MS } from "../kernel/time.ts";
import type { Life } from "./names.ts";

/**
 * The allowed skew between the clocks of two processes, within which nothing expires early. If a
 * process knows the time of an event only from a different process, it waits this much longer.
 */
export const CLOCKS_APART_MS = 3 * HOUR_MS;

/** By `atMs` the end of a partition was at `next` or beyond. */
export type Mark = { readonly next: number; readonly atMs: number };

const MARKS_MAX = 32;
const PARTITIONS_MAX = 10_000;

/**
 * Records the observations of this process, with times by its own wall clock. So it knows how much
 * time has passed since then without trusting any other clock. If it forgets, it waits longer,
 * never less.
 */
export function createSightings(clock: Pick<Clock, "now">) {
  const ends = createBounded<readonly Mark[]>(PARTITIONS_MAX);
  const seals = createBounded<number>(PARTITIONS_MAX);

  return {
    /** Records that the end of a partition is at `next` or beyond. */
    sawEnd(life: Life, partition: number, next: number): void {
      const name = `${life}#${partition}`;
      const marks = ends.get(name) ?? [];
      const last = marks.at(-1);
      if (last !== undefined && last.next >= next) return;
      ends.set(name, withMark(marks, { next, atMs: clock.now() }));
    },

    /** Returns the end of a partition that this process knows to have existed at `atMs`. */
    endAt(life: Life, partition: number, atMs: number): number {
      const marks = ends.get(`${life}#${partition}`) ?? [];
      return Math.max(1, ...marks.filter((mark) => mark.atMs <= atMs).map(({ next }) => next));
    },

    /** Discards the observations of a partition, because the table was restored. */
    forget(life: Life, partition: number): void {
      ends.delete(`${life}#${partition}`);
    },

    /** Returns since when this process has known that all chains of a life are sealed. */
    sealedSince(life: Life): number {
      const known = seals.get(life);
      if (known !== undefined) return known;
      const atMs = clock.now();
      seals.set(life, atMs);
      return atMs;
    },
  };
}

export type Sightings = ReturnType<typeof createSightings>;

/**
 * Adds one mark. Above the maximum, it drops the mark whose neighbours are closest in time. Pure.
 */
export function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const all = [...marks, mark];
  if (all.length <= MARKS_MAX) return all;
  const gaps = all.slice(2).map(({ atMs }, at) => atMs - (all[at]?.atMs ?? 0));
  return all.toSpliced(gaps.indexOf(Math.min(...gaps)) + 1, 1);
}
