import type { Random } from "../../../packages/core/src/kernel/random.ts";

/** Repeatable random numbers: the same seed gives the same run on every machine. */
export type SeededRandom = Random & {
  /** Returns an integer from `from` to `to`, inclusive. */
  between(from: number, to: number): number;
  /** Returns true with this probability. It draws nothing when the result is certain. */
  chance(probability: number): boolean;
  /** Returns one element of a non-empty list. */
  pick<T>(list: readonly T[]): T;
  /** Returns a new array in random order. */
  shuffle<T>(list: readonly T[]): T[];
  /**
   * Returns an independent source. Its draws affect neither this source nor those of other names.
   */
  fork(name: string): SeededRandom;
};

/**
 * A source of random numbers for simulations, by the sfc32 generator. Never for secrets. Source: C.
 * Doty-Humphrey, PractRand, "sfc" (small fast counting) generators.
 */
export const seededRandom = (seed: number | string): SeededRandom => {
  const next = sfc32(fnv1a(`${seed}`));
  const fraction = (): number => next() / 2 ** 32;
  const between = (from: number, to: number): number =>
    from + Math.floor(fraction() * (to - from + 1));
  return {
    fraction,
    between,
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 255),
    chance: (probability) => probability > 0 && (probability >= 1 || fraction() < probability),
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new RangeError("nothing to pick from");
      return list[between(0, list.length - 1)] as T;
    },
    shuffle: <T>(list: readonly T[]): T[] => shuffled(list, between),
    fork: (name) => seededRandom(`${seed}/${name}`),
  };
};

const shuffled = <T>(list: readonly T[], between: (from: number, to: number) => number): T[] => {
  const copy = [...list];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = between(0, last);
    const moved = copy[last] as T;
    copy[last] = copy[other] as T;
    copy[other] = moved;
  }
  return copy;
};

/**
 * Returns a stable 32-bit hash of a text. It also gives an item a random property that never
 * changes.
 */
export const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
};

const sfc32 = (seed: number): (() => number) => {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9, 0x243f6a88, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
};
