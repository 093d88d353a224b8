import { describe, expect, it } from "vitest";
import { SEED } from "../../support/seed.ts";
import { explainFailure } from "./explain-failure.ts";
import regressions from "./regressions.json" with { type: "json" };
import { addTally, emptyTally, missingFrom, type SeedTally, tallyOf } from "./seed-tally.ts";
import { type Simulated, simulate } from "./simulate.ts";
import { BRIEF, ERASING, GROWING, LISTING, METERED, PUSHING } from "./world.ts";

const SECONDS = Number(process.env.SIM_SECONDS ?? 8);

const expectNoViolation = async (played: Simulated): Promise<void> => {
  if (played.violations.length > 0) throw new Error(await explainFailure(played));
};

const faultsMissing = (total: SeedTally): string[] =>
  missingFrom(total).filter((name) => name.startsWith("fault."));

describe("the simulation", () => {
  it.each(regressions)(
    "a regression plays seed $seed, which found: $found",
    async ({ seed, plan }) => {
      await expectNoViolation(await simulate(seed, plan));
    },
  );

  it("a seed always plays the same way", async () => {
    const [first, second] = [await simulate("twice"), await simulate("twice")];
    expect(second.trace).toEqual(first.trace);
    expect(second.history).toEqual(first.history);
  });

  const PREFIXES = ["", BRIEF, LISTING, ERASING, GROWING, METERED, PUSHING, LISTING];

  it("no seed violates a promise", {
    timeout: (SECONDS + 120) * 1_000,
  }, async () => {
    console.log(`simulation: SEED=${SEED} SIM_SECONDS=${SECONDS}`);
    const endMs = Date.now() + SECONDS * 1_000;
    let total: SeedTally = emptyTally();
    // The rarest fault occurs in one seed of fifty, so a slow machine gets time to reach it.
    for (let seed = SEED; Date.now() < endMs || faultsMissing(total).length > 0; seed++) {
      const prefix = PREFIXES[seed % PREFIXES.length] ?? "";
      const played = await simulate(`${prefix}${seed}`);
      await expectNoViolation(played);
      total = addTally(total, tallyOf(played));
    }
    const { seeds, operations, faults, events } = total;
    console.log({ seeds, operations, faults, events });
  });
});
