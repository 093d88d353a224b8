import { expect, it } from "vitest";
import { type Continued, continueRecord } from "./continue-record.ts";

const change = (name: string, asked = 0) => ({ file: "a.ts", line: 1, name, asked, why: null });

const BEFORE: Continued = {
  said: { part: "Small changes", ran: "5 changes", found: "" },
  runs: [{ tried: 5, noticed: 1 }],
  leftOut: { gone: [] },
  noticed: [],
  survivors: [change("never: a", 3), change("never: b"), change("never: c"), change("never: d")],
};

it("a run continues the record of a sample", () => {
  const run = (name: string, by: string | null) => ({ ...change(name), asked: 2, by });
  const after = continueRecord(BEFORE, {
    files: ["a.ts"],
    all: ["never: a", "never: b", "never: d"].map((name) => change(name)),
    verdicts: [run("never: a", null), run("never: b", "b.test.ts: b is seen")],
    reasons: [{ file: "a.ts", name: "never: a", why: "nothing follows from it" }],
    run: { commit: "1" },
  });
  expect(after.noticed.map(({ name, by }) => [name, by])).toEqual([
    ["never: b", "b.test.ts: b is seen"],
  ]);
  expect(after.survivors.map(({ name, asked, why }) => [name, asked, why])).toEqual([
    ["never: a", 5, "nothing follows from it"],
    ["never: d", 0, null],
  ]);
  expect(after.leftOut.gone).toEqual(["a.ts never: c"]);
  expect(after.runs.at(-1)).toEqual({ commit: "1", tried: 2, noticed: 1 });
  expect(after.said.found).toBe(
    "2 changes noticed, 1 change unnoticed with a reason, no change unnoticed without one, 1 change not tried with a test, 1 change of code that is gone since",
  );
});
