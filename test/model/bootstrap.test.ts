import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scenarios } from "./bootstrap-scenarios.ts";
import { loadCore, runOracle } from "./run-oracle.ts";

const CORE = join(import.meta.dirname, "../../packages/core/src");

/** A nightly run asks for 20,000 or more; otherwise what fits the time. */
const runs = Number(process.env.BOOTSTRAP_RUNS ?? 4_000);
const timeMs = process.env.BOOTSTRAP_RUNS === undefined ? 40_000 : 4 * 3_600_000;
const seed = Number(process.env.BOOTSTRAP_SEED ?? Math.floor(Math.random() * 1_000_000));

describe("a bootstrapped subscriber", () => {
  it(`holds the fold of the log whenever it is told so, under random programs (seed ${seed})`, {
    timeout: timeMs + 60_000,
  }, async () => {
    const result = await runOracle(await loadCore(CORE), { runs, seed, timeMs });
    expect(result.failure).toBeUndefined();
    expect(result.runs).toBeGreaterThan(50);
  });

  it.each(Object.keys(scenarios))("stays exact when %s", async (name) => {
    await scenarios[name]?.(await loadCore(CORE));
  });
});
