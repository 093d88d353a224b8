import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** Runs the checks of `npm run check` at the same time, and prints each result as it comes. */
const CHECKS: Readonly<Record<string, string>> = {
  "unit tests": "vitest run --project unit",
  types: "tsc -p tsconfig.json",
  "types of the console": "tsc -p packages/console/tsconfig.json",
  lint: "biome check --error-on-warnings .",
  "dead code": "knip",
};

const began = performance.now();
const results = await Promise.all(
  Object.entries(CHECKS).map(async ([name, command]) => {
    const child = spawn(command, { shell: true, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    const isGood = code === 0;
    console.log(`${isGood ? "ok" : "FAILED"} ${name} (${seconds} s)`);
    if (!isGood) console.log(`${out}${err}`);
    return isGood;
  }),
);
process.exitCode = results.every((isGood) => isGood) ? 0 : 1;
