import { expect, it } from "vitest";
import { inParallel, mapInParallel } from "./in-parallel.ts";
import { measuredTogether } from "./list-page.ts";

it("after a failure no new work begins, and the running work is awaited", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const running = inParallel([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error("the first failed");
    await Promise.resolve();
    ended.push(item);
  });
  await expect(running).rejects.toThrow("the first failed");
  expect(begun).toEqual([1, 2]);
  expect(ended).toEqual([2]);
});

it("results have the order of their items", async () => {
  const waits = [3, 1, 2];
  const results = await mapInParallel(waits, 3, async (ticks) => {
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    return ticks * 10;
  });
  expect(results).toEqual([30, 10, 20]);
});

it("entries are measured together up to a number of partitions, and at least one at a time", () => {
  expect([1, 4, 16, 64].map(measuredTogether)).toEqual([16, 4, 1, 1]);
});
