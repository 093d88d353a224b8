import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/**
 * Builds a copy of a library in a folder, which it replaces, and returns the path of its tarball.
 * The copy has nothing of an earlier build. `npm publish <tarball>` releases it.
 */
export function packLibrary(name: "sdk" | "outbox", folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, "packages", name), folder, { recursive: true, filter: isSource });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", join(folder, "tsconfig.build.json")]);
  execFileSync("npm", ["pack", "--ignore-scripts"], { cwd: folder, stdio: "pipe" });
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, `eventledger-${name}-${version}.tgz`);
}

const isSource = (path: string): boolean => !/[/](dist|node_modules)$/.test(path);
