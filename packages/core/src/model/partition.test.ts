import { describe, expect, it } from "vitest";
import { hashKey, partitionOf } from "./partition.ts";
import published from "./partition-vectors.json" with { type: "json" };

describe(`partitioner ${published.partitioner}`, () => {
  it.each(published.vectors)("$key has the published hash", ({ key, hash, of8, of64 }) => {
    expect(hashKey(key)).toBe(hash);
    expect(partitionOf(key, 8)).toBe(of8);
    expect(partitionOf(key, 64)).toBe(of64);
    expect(partitionOf(key, 1)).toBe(0);
  });

  it("composed and decomposed letters have different hashes, as in UTF-8", () => {
    expect(hashKey("\u00fc")).not.toBe(hashKey("u\u0308"));
  });

  // The bounds are for 15 and 63 degrees of freedom. Chance exceeds each of them once in 10,000
  // runs, and the keys never change.
  it.each([
    { partitions: 16, shape: "order-1, order-2, ...", keyOf: (n: number) => `order-${n}` },
    { partitions: 64, shape: "order-1, order-2, ...", keyOf: (n: number) => `order-${n}` },
    { partitions: 64, shape: "1, 2, ...", keyOf: String },
    { partitions: 64, shape: "multi-byte", keyOf: (n: number) => `日本-${n}-ключ` },
    { partitions: 64, shape: "every 64th", keyOf: (n: number) => `customer/${n * 64}` },
  ])("keys like $shape are spread evenly over $partitions partitions", ({ partitions, keyOf }) => {
    const keys = 100_000;
    const counts = new Array<number>(partitions).fill(0);
    for (let n = 0; n < keys; n++) {
      const at = partitionOf(keyOf(n), partitions);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    const expected = keys / partitions;
    const chiSquare = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(partitions === 16 ? 44.3 : 112.5);
    expect(chiSquare).toBeGreaterThan(partitions === 16 ? 2 : 25);
  });
});
