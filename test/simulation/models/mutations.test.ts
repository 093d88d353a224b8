import { afterAll, describe, expect, it } from "vitest";
import { createMutant, runScenariosOn } from "./mutant.ts";
import { mutations } from "./mutations.ts";

const killedBy: string[] = [];

describe("compaction and bootstrap", () => {
  it.each(mutations)("a scenario fails without the rule: $rule", async (mutation) => {
    const { core, end } = createMutant(mutation);
    try {
      const failures = await runScenariosOn(core);
      expect(Object.keys(failures).length).toBeGreaterThan(0);
      for (const name of Object.keys(failures)) {
        killedBy.push(`${mutation.rule.padEnd(45)} ${name}`);
      }
    } finally {
      end();
    }
  });
});

afterAll(() => {
  console.log(["rule taken out".padEnd(45), "what fails"].join(" "));
  console.log(killedBy.join("\n"));
});
