import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type BatchTime, batchTimeAt, withBatchTimes } from "./batch-times.ts";

const batches: fc.Arbitrary<BatchTime[]> = fc
  .array(
    fc.record({ gap: fc.nat(5_000), count: fc.integer({ min: 1, max: 1_000 }), ms: fc.nat() }),
    {
      maxLength: 80,
    },
  )
  .map((steps) => {
    let [at, ms] = [1, 1_700_000_000_000];
    return steps.map((step) => {
      const first = at + step.gap;
      at = first + step.count;
      ms += step.ms;
      return { first, next: at, publishedAt: ms };
    });
  });

it("[sub.lag] the last 32 large batches of a partition keep their times in a short text", () => {
  return fc.assert(
    fc.property(batches, fc.nat(80), (all, cut) => {
      const text = withBatchTimes(withBatchTimes(undefined, all.slice(0, cut)), all.slice(cut));
      const kept = new Set(all.slice(-32));
      for (const batch of all) {
        const { first, next, publishedAt } = batch;
        const found = [batchTimeAt(text, first), batchTimeAt(text, next - 1)];
        expect(found).toEqual(
          kept.has(batch) ? [publishedAt, publishedAt] : [undefined, undefined],
        );
      }
      expect(batchTimeAt(text, all.at(-1)?.next ?? 1)).toBeUndefined();
    }),
  );
});

it("32 batches of a thousand events a second take less than half a kilobyte", () => {
  const all = Array.from({ length: 40 }, (_, n) => {
    const first = 1 + n * 1_000;
    return { first, next: first + 1_000, publishedAt: 1_700_000_000_000 + n * 1_000 };
  });
  expect(withBatchTimes(undefined, all).length).toBeLessThan(512);
});
