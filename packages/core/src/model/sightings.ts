import { createBounded } from "../kernel/bounded.ts";
import type { Clock } from "../kernel/clock.ts";
import { HOUR_MS } from "../kernel/time.ts";
import type { Life } from "./names.ts";

/**
 * How far the clocks of two processes may be apart without anything going before its time. Where a
 * process has only another's word for when something was, it waits for so long in addition.
 */
export const CLOCKS_APART_MS = 3 * HOUR_MS;

/** By `atMs` the end of a partition was at `next` or beyond. */
export type Mark = { readonly next: number; readonly atMs: number };

const MARKS_MAX = 32;
const PARTITIONS_MAX = 10_000;

/**
 * What this process has seen itself, and when by its own wall clock: how much time has passed since
 * then it knows without believing any other clock. Forgetting makes it wait for longer, never less.
 */
export function createSightings(clock: Pick<Clock, "now">) {
  const ends = createBounded<readonly Mark[]>(PARTITIONS_MAX);
  const seals = createBounded<number>(PARTITIONS_MAX);

  return {
    /** The end of a partition is at `next` or beyond. */
    sawEnd(life: Life, partition: number, next: number): void {
      const name = `${life}#${partition}`;
      const marks = ends.get(name) ?? [];
      const last = marks.at(-1);
      if (last !== undefined && last.next >= next) return;
      ends.set(name, withMark(marks, { next, atMs: clock.now() }));
    },

    /** Everything below this was there at `atMs`, as far as this process has seen. */
    endAt(life: Life, partition: number, atMs: number): number {
      const marks = ends.get(`${life}#${partition}`) ?? [];
      return Math.max(1, ...marks.filter((mark) => mark.atMs <= atMs).map(({ next }) => next));
    },

    /** What was seen of a partition is no more: the table was restored. */
    forget(life: Life, partition: number): void {
      ends.delete(`${life}#${partition}`);
    },

    /** All chains of a life are sealed: since when this process has known. */
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
 * One mark more. When there are too many, the one goes whose neighbours are closest in time. Pure.
 */
export function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const all = [...marks, mark];
  if (all.length <= MARKS_MAX) return all;
  const gaps = all.slice(2).map(({ atMs }, at) => atMs - (all[at]?.atMs ?? 0));
  return all.toSpliced(gaps.indexOf(Math.min(...gaps)) + 1, 1);
}
