import * as fc from "fast-check";
import { expect, it } from "vitest";
import { DEPTH } from "../../support/depth.ts";
import { SEED } from "../../support/seed.ts";
import { anyParkingPlan, simulateParking } from "./subscription/simulated-parking.ts";

const RUNS = Number(process.env.RUNS ?? 8 * DEPTH);

console.log(`parking: SEED=${SEED} RUNS=${RUNS}`);

it("[park.key] every key keeps its order, and no event is lost under any faults", async () => {
  const counts = { parked: 0, retried: 0, skipped: 0, crashes: 0 };
  const property = fc.asyncProperty(anyParkingPlan, async (plan) => {
    const { violations, happened } = await simulateParking(plan);
    expect(violations).toEqual([]);
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      counts[name] += happened[name];
    }
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
  console.log(counts);
  // Runs in which nothing was parked would prove nothing.
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(RUNS / 4);
}, 300_000);
