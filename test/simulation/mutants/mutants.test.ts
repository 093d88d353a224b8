import { describe, expect, it } from "vitest";
import { differenceMutations } from "../models/difference/difference-mutations.ts";
import { SMALLER } from "../models/difference/smaller.ts";
import { loadKillers } from "./gate.ts";
import { MUTANTS } from "./mutants.ts";
import { countPlaces } from "./mutated-copy.ts";

/** These checks run at every commit, so that a rewritten rule never leaves its mutant outdated. */
describe("the mutants", () => {
  it("there are at least 25 mutants, each with a seed that kills it", () => {
    const killers = loadKillers();
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
    const unknown = MUTANTS.filter(({ rule, by }) => (by ?? killers[rule]) === undefined);
    expect(unknown).toEqual([]);
  });

  it("the text of every rule occurs exactly once", () => {
    const all = [...MUTANTS, ...differenceMutations];
    expect(all.filter((mutant) => countPlaces(mutant) !== 1)).toEqual([]);
  });

  it("every text that makes lists small for their model occurs exactly once", () => {
    const texts = Object.entries(SMALLER).flatMap(([file, changes]) =>
      changes.map(([from]) => ({ file, from })),
    );
    expect(texts.filter((text) => countPlaces(text) !== 1)).toEqual([]);
  });
});
