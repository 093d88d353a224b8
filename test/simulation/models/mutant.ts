import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Mutation } from "./mutations.ts";

const CORE = join(import.meta.dirname, "../../../packages/core/src");

/**
 * Plays every scenario against the core without one rule, in a separate process. Returns the
 * failures by the scenario's name. Only broken promises count, so a mutant that does not run at all
 * is not killed.
 */
export async function runScenariosWithout(mutation: Mutation): Promise<Record<string, string>> {
  const hook = join(import.meta.dirname, "without-rule.ts");
  const script = join(import.meta.dirname, "run-scenarios.ts");
  const child = spawn(process.execPath, ["--import", hook, script, CORE], {
    env: {
      ...process.env,
      MUTATION: JSON.stringify(mutation),
      // All mutants share the code of all other files.
      NODE_COMPILE_CACHE: join(CORE, "../../../node_modules/.cache/eventledger/compiled"),
    },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 50_000,
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return JSON.parse(output);
}
