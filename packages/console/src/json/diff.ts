/** A pair of lines side by side. One side is undefined where the other has an additional line. */
export type Pair = {
  readonly left: string | undefined;
  readonly right: string | undefined;
  readonly same: boolean;
};

/**
 * Beyond this many comparisons, the differing middle is shown without searching for equal lines.
 */
const COMPARISONS_MAX = 4_000_000;

/**
 * Compares two texts line by line. Lines that differ at the same place are shown side by side. A
 * comma at the end is ignored, because it only says that another member follows.
 */
export function diff(left: readonly string[], right: readonly string[]): Pair[] {
  let head = 0;
  while (head < left.length && head < right.length && isSame(left[head], right[head])) head += 1;
  let tail = 0;
  const rest = Math.min(left.length, right.length) - head;
  while (tail < rest && isSame(left[left.length - 1 - tail], right[right.length - 1 - tail])) {
    tail += 1;
  }
  return [
    ...equal(left.slice(0, head), right),
    ...middle(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...equal(left.slice(left.length - tail), right.slice(right.length - tail)),
  ];
}

const bare = (line: string | undefined): string | undefined => line?.replace(/,$/, "");

const isSame = (one: string | undefined, other: string | undefined): boolean =>
  one === other || bare(one) === bare(other);

const equal = (left: readonly string[], right: readonly string[]): Pair[] =>
  left.map((line, n) => ({ left: line, right: right[n], same: true }));

/** Pairs removed lines with added lines by their position. */
function changed(left: readonly string[], right: readonly string[]): Pair[] {
  const count = Math.max(left.length, right.length);
  return Array.from({ length: count }, (_, n) => ({ left: left[n], right: right[n], same: false }));
}

function middle(left: readonly string[], right: readonly string[]): Pair[] {
  if (left.length === 0 || right.length === 0) return changed(left, right);
  if (left.length * right.length > COMPARISONS_MAX) return changed(left, right);
  const [leftBare, rightBare] = [left.map(bare), right.map(bare)];
  const width = right.length + 1;
  /**
   * At `a * width + b`: the number of equal lines, in order, from left[a] and right[b] to the end.
   */
  const common = new Uint16Array((left.length + 1) * width);
  const at = (a: number, b: number): number => common[a * width + b] ?? 0;
  for (let a = left.length - 1; a >= 0; a -= 1) {
    for (let b = right.length - 1; b >= 0; b -= 1) {
      common[a * width + b] =
        leftBare[a] === rightBare[b] ? at(a + 1, b + 1) + 1 : Math.max(at(a + 1, b), at(a, b + 1));
    }
  }
  const pairs: Pair[] = [];
  let [a, b, fromA, fromB] = [0, 0, 0, 0];
  const flush = () => pairs.push(...changed(left.slice(fromA, a), right.slice(fromB, b)));
  while (a < left.length && b < right.length) {
    if (leftBare[a] === rightBare[b]) {
      flush();
      pairs.push(...equal(left.slice(a, a + 1), right.slice(b, b + 1)));
      [a, b] = [a + 1, b + 1];
      [fromA, fromB] = [a, b];
    } else if (at(a + 1, b) >= at(a, b + 1)) a += 1;
    else b += 1;
  }
  [a, b] = [left.length, right.length];
  flush();
  return pairs;
}
