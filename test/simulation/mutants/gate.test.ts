import { describe, expect, it } from "vitest";
import { SEED } from "../../support/seed.ts";
import { printVerdict, runGate } from "./gate.ts";
import { MUTANTS } from "./mutants.ts";

/**
 * CI plays the seed that is known to kill each mutant. `npm run test:mutants` searches for a seed
 * for every mutant.
 */
const SHARE = Number(process.env.MUTANTS ?? 12);

describe("the mutation gate", () => {
  it("the simulation kills every mutant of the share", { timeout: 120_000 }, async () => {
    const offset = SEED % MUTANTS.length;
    const share = Array.from({ length: Math.min(SHARE, MUTANTS.length) }, (_, index) =>
      String(MUTANTS[(offset + index) % MUTANTS.length]?.rule),
    );
    const verdicts = await runGate({ count: 60, minutesEach: 0.5, workers: 2, only: share });
    console.log(verdicts.map(printVerdict).join("\n"));
    expect(verdicts.filter(({ killed }) => !killed).map(({ rule }) => rule)).toEqual([]);
  });
});
