import { readdirSync } from "node:fs";
import path from "node:path";
import { builtConsole } from "./built.ts";

const root = path.resolve(import.meta.dirname, "../../..");

/**
 * Prints the folder of the built console, relative to the root of the repository, and then each
 * file in it, one per line. This is for programs that cannot wait for a promise.
 */
const folder = await builtConsole();
const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
const files = entries
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
const lines = [path.relative(root, folder), ...files.sort()];
process.stdout.write(lines.join("\n").replaceAll("\\", "/"));
