import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type Coverage, isThere, outdatedReasons, unexplainedIn } from "./coverage-gaps.ts";

const played: Coverage = JSON.parse(readFileSync("test/results/sim-coverage.json", "utf8"));

it("a reason exists for every block of append, read, compact and bootstrap that no seed enters", () => {
  expect(played.seeds).toBeGreaterThanOrEqual(1_000);
  expect(unexplainedIn(played).filter(isThere)).toEqual([]);
});

it("no reason exists for code that is gone", () => {
  expect(outdatedReasons()).toEqual([]);
});

it("a block without a reason is found, and no reason is used for another block", () => {
  const missed = ["7: throw new Error(`new`);", "9: ?? 1"];
  const file = { file: "packages/core/src/log/append/append.ts", blocks: 9, missed };
  const [reason] = [
    { why: "", blocks: ["log/append/append.ts: throw new Error(", "log/read/read.ts: ?? 1"] },
  ];
  const coverage = { ...played, files: [file] };
  expect(unexplainedIn(coverage, [reason])).toEqual([`${file.file}:${missed[1]}`]);
});
