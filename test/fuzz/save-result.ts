import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";

/** What runs in these folders is what a result speaks of. */
const SOURCES = ["packages", "test/contract", "test/fuzz", "test/stack"];

/** Writes what a run has shown, and of what and where, if a file is named. */
export function saveResult(path: string | undefined, shown: object): void {
  if (!path) return;
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--", ...SOURCES);
  const result = {
    commit: `${git("rev-parse", "HEAD")}${changed === "" ? "" : " and changes"}`,
    saved: new Date().toISOString(),
    node: process.version,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    ...shown,
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
}
