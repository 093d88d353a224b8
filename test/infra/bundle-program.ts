import { createRequire } from "node:module";
import path from "node:path";
import { platform, root } from "./platform.ts";

/**
 * Bundles sst.config.ts, infra/ and SST's components into one module, as the CLI does, and returns
 * its path. The module exports `app(input)` and `load()`. `load` creates SST's globals and returns
 * the program. It is separate because the components read `$app` and `$dev` while they load.
 */
export async function bundleProgram(workDir: string): Promise<string> {
  const outfile = path.join(workDir, "program.mjs");
  await esbuildOf(platform).build({
    stdin: { contents: ENTRY, resolveDir: root, loader: "ts", sourcefile: "program-entry.ts" },
    outfile,
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    mainFields: ["module", "main"],
    sourcemap: "inline",
    logLevel: "silent",
    nodePaths: [path.join(platform, "node_modules")],
    inject: [path.join(platform, "src", "shim", "run.js")],
    external: LOADED_AT_RUN_TIME,
    banner: { js: BANNER },
  });
  return outfile;
}

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
  build(options: object): Promise<{ metafile?: { outputs: Record<string, EsbuildOutput> } }>;
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
