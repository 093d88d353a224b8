import * as fc from "fast-check";
import { expect, it } from "vitest";
import { DEPTH } from "../../support/depth.ts";
import { SEED } from "../../support/seed.ts";
import { type ExitPlan, playExit, STEPS, type Step } from "./subscription/parking-exits.ts";
import { explore, SPACES } from "./subscription/parking-space.ts";

const RUNS = Number(process.env.RUNS ?? 10 * DEPTH);

const anyPlan: fc.Arbitrary<ExitPlan> = fc.record({
  steps: fc.array(fc.constantFrom(...STEPS), { minLength: 3, maxLength: 14 }),
  servers: fc.constantFrom(1, 2),
  consumer: fc.constantFrom(undefined, undefined, "w"),
  thrifty: fc.boolean(),
});

/** The number of additional steps. Each further step multiplies the number of states by 2.6. */
const DEEPER = Number(process.env.PARKING_DEEPER ?? 0);

it.each(SPACES)(
  "[park.expired] [park.skip] every state near $start has a way out",
  async (space) => {
    const { states, steps, violations } = await explore({
      ...space,
      depth: space.depth + DEEPER,
    });
    console.log(`parking after ${space.start}: ${steps} steps, ${states} states`);
    expect(violations).toEqual([]);
    expect(states).toBeGreaterThan(30);
  },
  3_600_000,
);

const simple = { servers: 1, consumer: undefined, thrifty: false };

it("[park.expired] every randomly reached state has a way out", async () => {
  console.log(`parking exits: SEED=${SEED} RUNS=${RUNS}`);
  const property = fc.asyncProperty(anyPlan, async (plan) => {
    expect(await playExit(plan)).toEqual([]);
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS });
}, 300_000);

const stories: Record<string, readonly Step[]> = {
  "a retried key whose event expires": [
    ...(["publish a", "publish b", "poll", "fail", "commit", "retry a", "half an hour"] as const),
    ...(["publish a", "half an hour"] as const),
  ],
  "a skip that a commit passes": ["publish a", "poll", "fail", "skip a", "poll", "commit"],
  "a skip of what was read": ["publish a", "poll", "fail", "skip a", "commit"],
  "a skip before later events": ["publish a", "poll", "fail", "skip a", "publish a"],
};

it.each(Object.entries(stories))("[park.skip] a skip continues after %s", async (_, steps) => {
  for (const thrifty of [false, true]) {
    for (const consumer of [undefined, "w"]) {
      expect(await playExit({ ...simple, steps, thrifty, consumer })).toEqual([]);
    }
  }
});
