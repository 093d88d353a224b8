import { afterAll, describe, expect, it } from "vitest";
import { runScenariosWithout } from "./mutant.ts";
import { mutations } from "./mutations.ts";

const killedBy: string[] = [];

describe("compaction and bootstrap", () => {
  it.each(mutations)("a scenario fails without the rule: $rule", async (mutation) => {
    const failures = await runScenariosWithout(mutation);
    expect(Object.keys(failures).length).toBeGreaterThan(0);
    for (const name of Object.keys(failures)) {
      killedBy.push(`${mutation.rule.padEnd(45)} ${name}`);
    }
  });
});

afterAll(() => {
  console.log(["rule taken out".padEnd(45), "what fails"].join(" "));
  console.log(killedBy.join("\n"));
});
