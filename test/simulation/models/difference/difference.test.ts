import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { count } from "../../../proof/record.ts";
import { keepRecord } from "../../../support/keep-record.ts";
import { SEED } from "../../../support/seed.ts";
import type { Mutation } from "../mutations.ts";
import { differenceMutations } from "./difference-mutations.ts";

/** The whole run has 20,000. The count is promised, not the time. */
const runs = Number(process.env.DIFFERENCE_RUNS ?? 5_000);
const TIMEOUT_MS = 120_000 + runs * 100;

type Result = { runs: number; states: number; ended: number; failure?: string };

/** Runs programs, or all orders of steps, in a process that makes lists of small parts. */
async function run(
  options: Readonly<Record<string, string | number>>,
  mutation?: Mutation,
): Promise<Result> {
  const hook = join(import.meta.dirname, "small-lists.ts");
  const without = join(import.meta.dirname, "../without-rule.ts");
  const mutant = mutation === undefined ? [] : ["--import", without];
  const script = join(import.meta.dirname, "run-differences.ts");
  const values = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, ["--import", hook, ...mutant, script, ...values], {
    env:
      mutation === undefined ? process.env : { ...process.env, MUTATION: JSON.stringify(mutation) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout));
}

describe("a difference", () => {
  it(`[difference.exact] makes an earlier state the fold of the log, in random programs (SEED=${SEED})`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const began = performance.now();
    const result = await run({ runs, seed: SEED });
    const seconds = Math.round((performance.now() - began) / 1_000);
    expect(result.failure).toBeUndefined();
    expect(result.runs).toBe(runs);
    const ran = `${count(result.runs, "random program")} in ${seconds} s`;
    const said = { part: "Differences, random programs", ran, found: "no failure" };
    keepRecord("difference-oracle", said, { seed: SEED, runs: result.runs, failures: 0, seconds });
  });

  it("[difference.exact] is exact in every order of steps over a log of one event", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { failure, states } = await run({ length: 1, scene: "drops" });
    expect(failure).toBeUndefined();
    expect(states).toBeGreaterThan(5_000);
  });

  it.each(differenceMutations)(
    "a program fails without the rule: $rule",
    {
      timeout: TIMEOUT_MS,
    },
    async (mutation) => {
      const { failure } = await run({ runs: 4_000, seed: SEED }, mutation);
      // An error of the mutant itself would prove nothing.
      expect(failure).toMatch(/^(Violation|LedgerError): /);
    },
  );
});
