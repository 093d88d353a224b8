import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { isThere, run } from "./run.ts";

export const OPENAPI = fileURLToPath(
  new URL("../../packages/functions/openapi.json", import.meta.url),
);

export const folderOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const PAGE = new URL("../../docs/clients.md", import.meta.url);

/**
 * Returns the arguments of the one command in docs/clients.md that calls this program, with this
 * document.
 */
export async function documented(program: string): Promise<string[]> {
  const lines = (await readFile(PAGE, "utf8")).split("\n");
  const [line, more] = lines.filter((each) => each.startsWith(`${program} `));
  if (line === undefined || more !== undefined)
    throw new Error(`${program} is called by no command or by several`);
  const args = line.slice(program.length + 1).split(" ");
  return args.map((arg) => arg.replace(/(?<=^|=)openapi\.json$/, OPENAPI));
}

/** Why a tool is unavailable. Its test is skipped with this reason. */
export type Missing = { readonly missing: string };
type Tool = { readonly folder: string };

/**
 * Installs the packages of a folder's lock file, once for each lock file. Later runs reuse them.
 * `npm ci` at the top does not install these packages, because that would take twice as long.
 */
async function once(
  folder: string,
  { lock, made, install }: { lock: string; made: string; install: () => Promise<void> },
): Promise<Tool | Missing> {
  const digest = createHash("sha256")
    .update(await readFile(join(folder, lock)))
    .digest("hex");
  const stamp = join(folder, made, ".installed");
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === digest) return { folder };
  try {
    await rm(join(folder, made), { recursive: true, force: true });
    await install();
  } catch (error) {
    return { missing: `could not be installed: ${String(error).slice(0, 600)}` };
  }
  await mkdir(join(folder, made), { recursive: true });
  await writeFile(stamp, digest);
  return { folder };
}

/** Skips a test and prints the reason. */
export function skip(context: TestContext, why: string): never {
  process.stderr.write(`skipped: ${context.task.name}: ${why}\n`);
  return context.skip(why);
}

/** Returns the packages of a folder with a `package-lock.json`. */
export function npmPackages(name: string): Promise<Tool | Missing> {
  const folder = folderOf(name);
  return once(folder, {
    lock: "package-lock.json",
    made: "node_modules",
    install: async () => {
      const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
      await run({ command: "npm", args, cwd: folder });
    },
  });
}

/** Returns the packages of a folder with a `requirements.txt`, in a separate environment. */
export async function pythonPackages(name: string): Promise<Tool | Missing> {
  if (!(await isThere("python3", "-c", "import sys, venv; assert sys.version_info >= (3, 11)"))) {
    return { missing: "python3 3.11 or newer is not installed" };
  }
  const folder = folderOf(name);
  return once(folder, {
    lock: "requirements.txt",
    made: ".venv",
    install: async () => {
      await run({ command: "python3", args: ["-m", "venv", ".venv"], cwd: folder });
      const args = ["install", "--quiet", "--only-binary", ":all:", "-r", "requirements.txt"];
      await run({ command: join(folder, ".venv/bin/pip"), args, cwd: folder });
    },
  });
}
