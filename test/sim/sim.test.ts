import { describe, expect, it } from "vitest";
import { printFailure } from "./print-failure.ts";
import regressions from "./regressions.json" with { type: "json" };
import { addTally, emptyTally, missingFrom, type SeedTally, tallyOf } from "./seed-tally.ts";
import { type Simulated, simulate } from "./simulate.ts";

const FROM = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const SECONDS = Number(process.env.SIM_SECONDS ?? 25);

const expectNoViolation = (played: Simulated): void => {
  if (played.violations.length > 0) throw new Error(printFailure(played));
};

describe("the simulation", () => {
  it.each(regressions)("plays seed $seed, which found: $found", async ({ seed }) => {
    expectNoViolation(await simulate(seed));
  });

  it("plays a seed the same way twice", async () => {
    const [first, second] = [await simulate("twice"), await simulate("twice")];
    expect(second.trace).toEqual(first.trace);
    expect(second.history).toEqual(first.history);
  });

  it("finds no violation in any seed", { timeout: (SECONDS + 30) * 1_000 }, async () => {
    console.log(`simulation: SEED=${FROM} SIM_SECONDS=${SECONDS}`);
    const endMs = Date.now() + SECONDS * 1_000;
    let total: SeedTally = emptyTally();
    for (let seed = FROM; Date.now() < endMs; seed++) {
      const played = await simulate(String(seed));
      expectNoViolation(played);
      total = addTally(total, tallyOf(played));
    }
    const { seeds, operations, faults, events } = total;
    console.log({ seeds, operations, faults, events });
    expect(missingFrom(total).filter((name) => name.startsWith("fault."))).toEqual([]);
  });
});
