import { expect, it } from "vitest";
import { sayChanges } from "./say-changes.ts";

const noticed = { by: "a test", asked: 2 };
const alive = { by: null, asked: 3 };
const unmet = { by: null, asked: 0 };
const run = { files: 2, all: 9, tests: "the unit tests" };

it("the sentence of a run separates unnoticed changes from changes that no test executed", () => {
  const verdicts = [noticed, noticed, alive, alive, unmet];
  expect(sayChanges({ ...run, verdicts, unexplained: [alive, unmet] })).toEqual({
    part: "Small changes of the code",
    ran: "5 changes of 9 changes in 2 files, each until a test notices it; the unit tests",
    found:
      "2 changes noticed, 1 change unnoticed with a reason, **1 change** unnoticed without one, " +
      "1 change not executed by these tests",
  });
  expect(sayChanges({ ...run, verdicts: [noticed, alive], unexplained: [] }).found).toBe(
    "1 change noticed, 1 change unnoticed with a reason, no change unnoticed without one",
  );
});
