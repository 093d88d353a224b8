import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { count } from "../../proof/record.ts";
import { DEPTH } from "../../support/depth.ts";
import { keepRecord } from "../../support/keep-record.ts";
import { SEED } from "../../support/seed.ts";
import { scenarios } from "./bootstrap-scenarios.ts";
import { loadCore, runOracles } from "./run-oracle.ts";

const CORE = join(import.meta.dirname, "../../../packages/core/src");

/** `npm run test:nightly` runs 20,000. The count is promised, not the time. */
const runs = Number(process.env.BOOTSTRAP_RUNS ?? 66 * DEPTH);
const TIMEOUT_MS = 60_000 + runs * 1_000;

describe("a bootstrapped subscriber", () => {
  it(`a subscriber holds the fold of the log whenever a page says so, in random programs (SEED=${SEED})`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const began = performance.now();
    const result = await runOracles(CORE, { runs, seed: SEED, timeMs: TIMEOUT_MS });
    const seconds = Math.round((performance.now() - began) / 1_000);
    console.log(`${result.runs} programs in ${seconds} s`);
    expect(result.failure).toBeUndefined();
    expect(result.runs).toBe(runs);
    const ran = `${count(result.runs, "random program")} in ${seconds} s`;
    const said = { part: "Bootstrap, random programs", ran, found: "no failure" };
    keepRecord("bootstrap-oracle", said, { seed: SEED, runs: result.runs, failures: 0, seconds });
  });

  it.each(Object.keys(scenarios))("a subscriber stays exact when %s", async (name) => {
    await scenarios[name]?.(await loadCore(CORE));
  });
});
