import type { Random } from "../../../packages/core/src/kernel/random.ts";

export type TimerQueue = {
  push(atMs: number, run: () => void): void;
  /** Returns when the next timer is due, or undefined when there is none. */
  peekMs(): number | undefined;
  /** Removes the next timer and returns it. Throws when there is none. */
  pop(): () => void;
};

type Timer = { readonly atMs: number; readonly tie: number; readonly run: () => void };

/** A binary heap of timers. Timers that are due at the same time are ordered by the seed. */
export const timerQueue = (random: Random): TimerQueue => {
  const heap: Timer[] = [];
  return {
    push: (atMs, run) => {
      heap.push({ atMs, tie: random.fraction(), run });
      siftUp(heap);
    },
    peekMs: () => heap[0]?.atMs,
    pop: () => {
      const [first] = heap;
      const last = heap.pop();
      if (first === undefined || last === undefined) throw new RangeError("no timer is left");
      if (heap.length > 0) {
        heap[0] = last;
        siftDown(heap);
      }
      return first.run;
    },
  };
};

const before = (a: Timer, b: Timer): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);

const siftUp = (heap: Timer[]): void => {
  let index = heap.length - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!swapIfBefore(heap, index, parent)) return;
    index = parent;
  }
};

const siftDown = (heap: Timer[]): void => {
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const right = left + 1;
    const [a, b] = [heap[left], heap[right]];
    if (a === undefined) return;
    const child = b !== undefined && before(b, a) ? right : left;
    if (!swapIfBefore(heap, child, index)) return;
    index = child;
  }
};

/** Swaps the timer at `lower` with the one at `upper` if it is due first. */
const swapIfBefore = (heap: Timer[], lower: number, upper: number): boolean => {
  const [a, b] = [heap[lower], heap[upper]];
  if (a === undefined || b === undefined || !before(a, b)) return false;
  heap[lower] = b;
  heap[upper] = a;
  return true;
};
