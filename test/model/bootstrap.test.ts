import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keepRecord } from "../keep-record.ts";
import { count } from "../proof/record.ts";
import { SEED } from "../seed.ts";
import { scenarios } from "./bootstrap-scenarios.ts";
import { loadCore, runOracles } from "./run-oracle.ts";

const CORE = join(import.meta.dirname, "../../packages/core/src");

/** `npm run test:nightly` asks for 20,000 or more; otherwise as many as fit the time. */
const asked = process.env.BOOTSTRAP_RUNS;
const runs = Number(asked ?? 20_000);
const timeMs = asked === undefined ? 40_000 : 4 * 3_600_000;
/** A machine that is busy with other tests makes several times as many in that time. */
const runsMin = asked === undefined ? 500 : runs;

describe("a bootstrapped subscriber", () => {
  it(`holds the fold of the log whenever it is told so, under random programs (SEED=${SEED})`, {
    timeout: timeMs + 60_000,
  }, async () => {
    const began = performance.now();
    const result = await runOracles(CORE, { runs, seed: SEED, timeMs });
    const seconds = Math.round((performance.now() - began) / 1_000);
    console.log(`${result.runs} programs in ${seconds} s`);
    expect(result.failure).toBeUndefined();
    expect(result.runs).toBeGreaterThanOrEqual(runsMin);
    const ran = `${count(result.runs, "random program")} in ${seconds} s`;
    const said = { part: "Bootstrap, random programs", ran, found: "no failure" };
    keepRecord("bootstrap-oracle", said, { seed: SEED, runs: result.runs, failures: 0, seconds });
  });

  it.each(Object.keys(scenarios))("stays exact when %s", async (name) => {
    await scenarios[name]?.(await loadCore(CORE));
  });
});
