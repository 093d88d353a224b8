import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { type Program, runProgram } from "./bootstrap-oracle.ts";
import type { CoreModules } from "./bootstrap-world.ts";

const choices = (minLength: number, maxLength: number) =>
  fc.array(fc.nat(1_000_000), { minLength, maxLength, size: "max" });

/** Random programs. Most are short, because most faults occur early. Some are long. */
export const programs: fc.Arbitrary<Program> = fc.record({
  seed: fc.nat(1_000),
  partitions: fc.constantFrom(1, 1, 1, 2),
  subscribers: fc.constantFrom(1, 1, 2),
  choices: fc.oneof(
    { weight: 9, arbitrary: choices(10, 80) },
    { weight: 1, arbitrary: choices(80, 220) },
  ),
});

/** The result of some programs. `failure` is the smallest failing one that was found. */
export type OracleRun = { readonly runs: number; readonly failure?: string };

type Options = { readonly runs: number; readonly seed: number; readonly timeMs: number };

/** Runs random programs against a core, up to a number or for a time. */
export async function runOracle(core: CoreModules, options: Options): Promise<OracleRun> {
  // ElectroDB creates an Error for every query, and its stack trace takes longer than the rest of
  // the query.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const property = fc.asyncProperty(programs, (program) => runProgram(core, program));
  const { numRuns, failed, errorInstance, counterexample } = await fc.check(property, {
    numRuns: options.runs,
    seed: options.seed,
    interruptAfterTimeLimit: options.timeMs,
    markInterruptAsFailure: false,
  });
  Error.stackTraceLimit = stackTraceLimit;
  if (!failed) return { runs: numRuns };
  return { runs: numRuns, failure: `${errorInstance} in ${JSON.stringify(counterexample)}` };
}

const WORKERS = 2;

/**
 * Does the same in separate processes that share the runs. The seeds are `seed` and the following
 * numbers.
 */
export async function runOracles(folder: string, options: Options): Promise<OracleRun> {
  const results = await Promise.all(
    Array.from({ length: WORKERS }, (_, worker) => {
      const runs = Math.ceil(options.runs / WORKERS);
      return runApart(folder, { ...options, runs, seed: options.seed + worker });
    }),
  );
  const failure = results.find((result) => result.failure !== undefined)?.failure;
  const runs = results.reduce((sum, result) => sum + result.runs, 0);
  return failure === undefined ? { runs } : { runs, failure };
}

async function runApart(core: string, { runs, seed, timeMs }: Options): Promise<OracleRun> {
  const values = Object.entries({ core, runs, seed, seconds: timeMs / 1_000 });
  const child = spawn(
    process.execPath,
    [import.meta.filename, ...values.map(([name, value]) => `--${name}=${value}`)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  return JSON.parse(await text(child.stdout));
}

/** Loads the modules of a core in a folder, such as a copy without one rule. */
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
      core: { type: "string", default: join(import.meta.dirname, "../../../packages/core/src") },
      runs: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      seconds: { type: "string", default: "1800" },
    },
  });
  const result = await runOracle(await loadCore(values.core), {
    runs: Number(values.runs),
    seed: Number(values.seed),
    timeMs: Number(values.seconds) * 1_000,
  });
  console.log(JSON.stringify(result));
  if (result.failure !== undefined) process.exitCode = 1;
}
