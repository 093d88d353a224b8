import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, globSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const here = path.resolve(import.meta.dirname, "..");
const dist = path.join(here, "dist");

/** All files that decide what is built. The lock file names the version of every package. */
const SOURCES = ["*.html", "package.json", "build/*.ts", "src/**/*", "../sdk/src/**/*.ts"];

/**
 * Returns the folder of the built console: `index.html`, and `assets` with hashed names. Builds it
 * first, within a few seconds, unless exactly these sources are already built. Several processes
 * may call it at the same time. Rejects with the output of the build if it fails.
 */
export async function builtConsole(): Promise<string> {
  // A package that is one bundle has the built console next to it.
  const packed = path.join(import.meta.dirname, "console");
  if (existsSync(packed)) return packed;
  const folder = path.join(dist, keyOfSources());
  if (existsSync(folder)) return folder;
  const making = path.join(dist, `.making-${randomUUID()}`);
  try {
    // The build runs in its own process, so that the bundler's memory is freed afterwards.
    await promisify(execFile)(process.execPath, [path.join(here, "build/vite.ts"), making]);
    renameSync(making, folder);
  } catch (error) {
    // Another process built the same in the meantime.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  for (const name of readdirSync(dist)) {
    const isFormer = !name.startsWith(".") && name !== path.basename(folder);
    if (isFormer) rmSync(path.join(dist, name), { recursive: true, force: true });
  }
  return folder;
}

function keyOfSources(): string {
  const hash = createHash("sha256");
  const sources = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: here })).sort();
  for (const source of [...sources, "../../package-lock.json"]) {
    const file = path.join(here, source);
    if (!/\.\w+$/.test(source) || /\.test\.ts$/.test(source) || !existsSync(file)) continue;
    hash.update(`\0${source.replaceAll("\\", "/")}\0`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}
