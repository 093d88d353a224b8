import { describe, expect, it } from "vitest";
import { DEPTH } from "../../../support/depth.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { type GrowthPlan, simulateGrowth } from "./simulated-growth.ts";

const SEEDS = Number(process.env.SEEDS ?? 2 * DEPTH);
const FIRST = Number(process.env.SEED ?? 1);

function planOf(seed: number): GrowthPlan {
  const random = seededRandom(`growth ${seed}`);
  return {
    seed,
    sizes: random.pick([
      [1, 2],
      [1, 8, 2],
      [2, 1],
      [3, 4, 1],
      [1, 2, 3, 1],
    ]),
    requests: random.between(8, 24),
    keys: random.between(1, 6),
    readers: random.between(0, 2),
    workers: random.between(0, 3),
    bootstraps: random.between(0, 2),
    failing: random.pick([0, 0.1]),
    isFaulty: random.chance(0.5),
    kills: random.pick([0, 0, 3]),
  };
}

describe("a stream that gets other partitions while it is used", () => {
  it.each(Array.from({ length: SEEDS }, (_, at) => FIRST + at))(
    "keeps the order of each key for every reader, and loses nothing: seed %i",
    async (seed) => {
      const plan = planOf(seed);
      const { wrong, published, resized, slowestMs } = await simulateGrowth(plan);
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(published).toBe(plan.keys * plan.requests);
      expect(resized).toBe(plan.sizes.length - 1);
      expect(slowestMs).toBeLessThan(2_000);
    },
  );
});
