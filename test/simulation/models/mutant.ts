import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "./mutations.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Creates a copy of core's source without one rule. `end` deletes it. */
export function createMutant({ rule, file, from, to }: Mutation): { core: string; end(): void } {
  const folder = mkdtempSync(join(tmpdir(), "mutant-"));
  const core = join(folder, "packages/core/src");
  cpSync(join(ROOT, "packages/core/src"), core, { recursive: true });
  cpSync(join(ROOT, "packages/core/package.json"), join(folder, "packages/core/package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const path = join(core, file);
  const parts = readFileSync(path, "utf8").split(from);
  if (parts.length !== 2)
    throw new Error(`"${rule}": ${file} has ${parts.length - 1} places for it`);
  writeFileSync(path, parts.join(to));
  return { core, end: () => rmSync(folder, { recursive: true }) };
}

/**
 * Plays every scenario against the core in a folder, in a separate process. Returns the failures by
 * the scenario's name. Only broken promises count, so a mutant that does not run at all is not
 * killed.
 */
export async function runScenariosOn(core: string): Promise<Record<string, string>> {
  const script = join(import.meta.dirname, "run-scenarios.ts");
  const child = spawn(process.execPath, [script, core], {
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
