import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { loadKillers } from "./gate.ts";
import { MUTANTS } from "./mutants.ts";
import { createCopy } from "./mutated-copy.ts";

it("the smallest plan by which a seed kills a mutant is printed, and can be played", {
  timeout: 200_000,
}, () => {
  const mutant = MUTANTS.find(({ rule }) => rule === "a batch with my id is my own");
  if (mutant === undefined) throw new Error("the mutant is gone");
  const copy = createCopy();
  const play = (plan: object) => {
    const { stdout } = spawnSync(process.execPath, ["test/simulation/world/run.ts"], {
      cwd: copy.folder,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
      env: { ...process.env, SEED: loadKillers()[mutant.rule], PLAN: JSON.stringify(plan) },
    });
    return stdout;
  };
  try {
    copy.apply(mutant);
    const printed = play(mutant.plan ?? {});
    const [, names = ""] =
      /It needs none of these \(\d+ plans tried\): (.*)\.\n/.exec(printed) ?? [];
    // A lost answer must remain in the plan, so that the attempt is found again. One other fault
    // may remain that only shifts the random numbers.
    expect(names.split(", ").length).toBeGreaterThan(5);
    const [, smallest = ""] = /PLAN='(.*)'/.exec(printed) ?? [];
    const { writeFaults, readFaults } = JSON.parse(smallest);
    expect(Object.keys(writeFaults).length).toBeLessThanOrEqual(2);
    expect(Object.keys(readFaults).length).toBeLessThanOrEqual(1);
    expect(play(JSON.parse(smallest))).toContain("VIOLATION");
    copy.restore();
    expect(play(JSON.parse(smallest))).toContain("No violation.");
  } finally {
    copy.remove();
  }
});
