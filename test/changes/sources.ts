import { globSync, statSync } from "node:fs";

const ALL = ["packages/core/src", "packages/functions/src"];

/**
 * Returns the source files of paths relative to the root, which may be folders or patterns. Without
 * paths, returns all source files.
 */
export function sourcesOf(paths: readonly string[]): string[] {
  const found = (paths.length === 0 ? ALL : paths).flatMap((path) =>
    globSync(statSync(path, { throwIfNoEntry: false })?.isDirectory() ? `${path}/**/*.ts` : path),
  );
  const sources = [...new Set(found)].filter((path) => !path.endsWith(".test.ts")).sort();
  if (sources.length === 0) throw new Error(`There are no source files in ${paths.join(", ")}`);
  return sources;
}
