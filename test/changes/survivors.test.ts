import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findChanges } from "./find-changes.ts";
import { judge } from "./judge.ts";
import { SURVIVORS } from "./survivors.ts";

/** These checks run at every commit, so that no reason outlives its code. */
describe("the changes that no test notices", () => {
  it("every survivor exists", () => {
    const strange = SURVIVORS.filter(({ file, name }) => {
      const { changes } = findChanges(file, readFileSync(file, "utf8"));
      return !changes.some((change) => change.name === name);
    });
    expect(strange).toEqual([]);
  });

  it("every survivor has one reason", () => {
    expect(SURVIVORS.filter(({ why }) => why.length < 20)).toEqual([]);
    const keys = SURVIVORS.map(({ file, name }) => `${file} ${name}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("a run", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => ({ file: "f.ts", name }));
  const all = [a, b, c].flatMap((change) => change ?? []);
  const tried = all.map((change) => ({ ...change, by: change.name === "a" ? "a test" : null }));
  const because = (name: string) => ({ file: "f.ts", name, why: "" });
  const scope = { files: ["f.ts"], all };

  it("a run fails for a survivor without a reason", () => {
    const { alive, unexplained } = judge(tried, [because("b")], scope);
    expect(alive.map(({ name }) => name)).toEqual(["b", "c"]);
    expect(unexplained.map(({ name }) => name)).toEqual(["c"]);
  });

  it("a run fails for a reason without a survivor", () => {
    const reasons = ["a", "b", "c", "gone"].map(because);
    expect(judge(tried, reasons, scope).superfluous).toEqual([because("a"), because("gone")]);
    const others = [{ file: "other.ts", name: "a", why: "" }];
    expect(judge(tried, others, scope).superfluous).toEqual([]);
  });
});
