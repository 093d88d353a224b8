import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

/** With fewer seeds, blocks that only rare faults reach are not executed. */
const SEEDS = process.env.COVERAGE_SEEDS ?? "2000";

it(`${SEEDS} seeds enter every block of the log and of compaction, or a reason explains why not`, () => {
  const run = spawnSync(process.execPath, ["test/simulation/world/coverage.ts", SEEDS, "0"], {
    encoding: "utf8",
  });
  const unexplained = run.stdout.split("\n").filter((line) => line.startsWith("no reason for "));
  expect(unexplained).toEqual([]);
  expect(run.status, run.stderr).toBe(0);
});
