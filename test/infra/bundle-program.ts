import { createHash } from "node:crypto";
import { existsSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { platform, root, sstVersion } from "./platform.ts";

/**
 * Bundles sst.config.ts, infra/ and SST's components into one module, as the CLI does, and returns
 * its path. The module exports `app(input)` and `load()`. `load` creates SST's globals and returns
 * the program. It is separate because the components read `$app` and `$dev` while they load. The
 * module is kept until one of its sources changes.
 */
export async function bundleProgram(): Promise<string> {
  // Inside the platform's folder, so that the bundle finds the platform's packages.
  const kept = path.join(platform, `.program-${keyOfSources()}`);
  const program = path.join(kept, "program.mjs");
  if (existsSync(program)) return program;
  const making = mkdtempSync(path.join(platform, ".making-"));
  try {
    await bundleInto(path.join(making, "program.mjs"));
    for (const name of globSync(".program-*", { cwd: platform })) {
      const other = path.join(platform, name);
      if (other !== kept) rmSync(other, { recursive: true, force: true });
    }
    renameSync(making, kept);
  } catch (error) {
    // Another process made the same module in the meantime.
    if (!existsSync(program)) throw error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return program;
}

/** The sources of the program in this repository. `bundleInto` refuses any other. */
const isSource = (file: string): boolean =>
  file === "sst.config.ts" || /^infra\/.*\.(ts|cjs)$/.test(file);

/** Returns the same key for the same sources and the same SST. */
function keyOfSources(): string {
  const hash = createHash("sha256").update(sstVersion());
  const files = ["sst.config.ts", ...globSync("infra/**/*.{ts,cjs}", { cwd: root }).sort()];
  for (const file of [...files, path.relative(root, import.meta.filename)]) {
    hash.update(`\0${file}\0`).update(readFileSync(path.join(root, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

async function bundleInto(outfile: string): Promise<void> {
  const { metafile } = await esbuildOf(platform).build({
    stdin: { contents: ENTRY, resolveDir: root, loader: "ts", sourcefile: "program-entry.ts" },
    outfile,
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    mainFields: ["module", "main"],
    metafile: true,
    logLevel: "silent",
    nodePaths: [path.join(platform, "node_modules")],
    inject: [path.join(platform, "src", "shim", "run.js")],
    external: LOADED_AT_RUN_TIME,
    banner: { js: BANNER },
  });
  const own = Object.keys(metafile?.inputs ?? {}).filter((file) => !isOfPlatform(file));
  const unknown = own.filter((file) => !isSource(file));
  if (unknown.length > 0) throw new Error(`isSource does not know ${unknown.join(", ")}`);
}

/** Returns whether a source belongs to SST or a package, or is the entry itself. */
const isOfPlatform = (file: string): boolean =>
  /^\.sst\/platform\/|(^|\/)node_modules\/|^\(disabled\)|^program-entry\.ts$/.test(file);

/**
 * Packages that the platform's code loads at run time, or that must exist only once in the process.
 */
const LOADED_AT_RUN_TIME = [
  "@pulumi/*",
  "@pulumiverse/*",
  "@sst-provider/*",
  "@aws-sdk/*",
  "archiver",
  "esbuild",
  "glob",
  "undici",
  "vite",
];

const BANNER = `
import { createRequire as createRequire$ } from "node:module";
const require = createRequire$(import.meta.url);
const __filename = import.meta.filename, __dirname = import.meta.dirname;`;

const inPlatform = (...parts: string[]) =>
  JSON.stringify(path.join(platform, "src", ...parts).replaceAll("\\", "/"));

const ENTRY = `
import config from ${JSON.stringify(path.join(root, "sst.config.ts").replaceAll("\\", "/"))};
export const app = (input) => config.app(input);
export async function load() {
  const [sst, aws, { run }] = await Promise.all([
    import(${inPlatform("components", "index.ts")}),
    import("@pulumi/aws"),
    import(${inPlatform("auto", "run.ts")}),
  ]);
  Object.assign(globalThis, { sst, aws });
  return () => run(config.run);
}`;

/** The part of esbuild that the tests use. */
interface Esbuild {
  build(options: object): Promise<{
    metafile?: { inputs: Record<string, object>; outputs: Record<string, EsbuildOutput> };
    outputFiles?: EsbuildFile[];
  }>;
}

/** A file that esbuild returns instead of writing it. */
export interface EsbuildFile {
  path: string;
  contents: Uint8Array;
}

export interface EsbuildOutput {
  bytes: number;
  inputs: Record<string, { bytesInOutput: number }>;
}

/**
 * Returns the esbuild that SST installs with its platform, so that this repository does not need
 * its own.
 */
export function esbuildOf(platformDir: string): Esbuild {
  return createRequire(path.join(platformDir, "package.json"))("esbuild");
}
