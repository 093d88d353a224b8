import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { type Program, runProgram } from "./bootstrap-oracle.ts";
import type { CoreModules } from "./bootstrap-world.ts";

/** Random programs, small ones first. */
export const programs: fc.Arbitrary<Program> = fc.record({
  seed: fc.nat(1_000),
  partitions: fc.constantFrom(1, 1, 1, 2),
  subscribers: fc.constantFrom(1, 1, 2),
  choices: fc.array(fc.nat(1_000_000), { minLength: 30, maxLength: 220, size: "max" }),
});

/**
 * Runs random programs against the core in a folder. Answers how many ran, and the smallest failure
 * that was found.
 */
export async function runOracle(
  core: CoreModules,
  options: { readonly runs: number; readonly seed: number; readonly timeMs: number },
): Promise<{ runs: number; failure: string | undefined }> {
  const property = fc.asyncProperty(programs, (program) => runProgram(core, program));
  const { numRuns, failed, errorInstance, counterexample } = await fc.check(property, {
    numRuns: options.runs,
    seed: options.seed,
    interruptAfterTimeLimit: options.timeMs,
    markInterruptAsFailure: false,
    endOnFailure: true,
  });
  const failure = failed ? `${errorInstance} in ${JSON.stringify(counterexample)}` : undefined;
  return { runs: numRuns, failure };
}

/** The modules of a core in a folder, such as a copy with a rule taken out. */
export async function loadCore(folder: string): Promise<CoreModules> {
  const load = (path: string) => import(pathToFileURL(join(folder, path)).href);
  const { createLedger } = await load("index.ts");
  const { createCursors } = await load("cursor/cursor.ts");
  const { unpackBatch } = await load("log/codec.ts");
  return { createLedger, createCursors, unpackBatch };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      core: { type: "string", default: join(import.meta.dirname, "../../packages/core/src") },
      runs: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "30" },
    },
  });
  const began = performance.now();
  const result = await runOracle(await loadCore(values.core), {
    runs: Number(values.runs),
    seed: Number(values.seed),
    timeMs: Number(values.minutes) * 60_000,
  });
  const seconds = (performance.now() - began) / 1_000;
  console.log(JSON.stringify({ ...result, seconds }));
  if (result.failure !== undefined) process.exitCode = 1;
}
