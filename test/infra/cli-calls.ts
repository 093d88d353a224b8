import crypto from "node:crypto";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { type EsbuildFile, type EsbuildOutput, esbuildOf } from "./bundle-program.ts";
import type { EngineReport, EngineTask } from "./engine.ts";

/**
 * Answers the HTTP requests that SST's components send to their CLI while a program runs. Returns
 * the address. Each function to bundle is added to `bundles`.
 */
export async function startCli(
  task: EngineTask,
  bundles: EngineReport["bundles"],
): Promise<{ url: string; stop(): void }> {
  const calls: Record<string, (params: BuildRequest) => Promise<unknown>> = {
    "Provider.Aws.Bootstrap": async () => ({ asset: "sst-asset", state: "sst-state", ...APPSYNC }),
    "Provider.Aws.Appsync": async () => ({ http: "appsync.test", realtime: "appsync.test" }),
    "Runtime.AddTarget": async () => null,
    "Runtime.Build": (request) => build(task, bundles, request),
  };
  const server = http.createServer(async (request, response) => {
    const { method, params } = JSON.parse(await text(request));
    const answer = calls[method]?.(params[0]) ?? Promise.reject(`rpc: can't find ${method}`);
    const reply = await answer.then(
      (result) => ({ result, error: null }),
      (error: unknown) => ({ result: null, error: String(error) }),
    );
    response.setHeader("connection", "close").end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port to listen on");
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const APPSYNC = { appsyncHttp: "appsync.test", appsyncRealtime: "appsync.test" };

interface BuildRequest {
  functionID: string;
  handler: string;
  /** A prepared folder (the live stub) instead of a source file. */
  bundle?: string;
  encryptionKey?: string;
  links?: Record<string, unknown>;
  copyFiles?: { from: string; to: string }[];
  properties?: {
    minify?: boolean;
    format?: "cjs" | "esm";
    esbuild?: {
      conditions?: string[];
      external?: string[];
      keepNames?: boolean;
      mainFields?: string[];
    };
  };
}

async function build(
  task: EngineTask,
  bundles: EngineReport["bundles"],
  request: BuildRequest,
): Promise<object> {
  const dir = path.join(task.bundlesDir ?? path.join(task.workDir, "bundles"), request.functionID);
  mkdirSync(dir, { recursive: true });
  const { handler, links = {}, encryptionKey } = request;
  if (encryptionKey) writeFileSync(path.join(dir, "resource.enc"), seal(encryptionKey, links));
  const exported = path.extname(handler);
  const answer = (...errors: string[]) => ({
    handler: errors.length > 0 ? "" : `bundle${exported}`,
    out: dir,
    errors,
    sourcemaps: [],
  });
  let [bytes, packages]: [number, string[]] = [0, []];
  if (task.bundlesDir === null || request.bundle) {
    writeFileSync(path.join(dir, "bundle.mjs"), "export {};\n");
  } else {
    const source = `${path.join(task.root, handler.slice(0, -exported.length))}.ts`;
    if (!existsSync(source)) return answer(`There is no ${source}`);
    const { output, files } = await bundleOnce(task, source, request);
    for (const [name, contents] of files) writeFileSync(path.join(dir, name), contents);
    bytes = output.bytes;
    packages = packagesOf(output);
    for (const { from, to } of request.copyFiles ?? [])
      cpSync(from, path.join(dir, to), { recursive: true });
  }
  bundles[request.functionID] = { handler, dir, bytes, packages, links };
  return answer();
}

type Bundled = {
  readonly output: EsbuildOutput;
  readonly files: readonly (readonly [name: string, contents: Uint8Array | string])[];
};

/** The bundles of this process. Several stages deploy the same functions. */
const known = new Map<string, Promise<Bundled>>();

/** Bundles a function, unless this process has bundled it in the same way for another stage. */
function bundleOnce(task: EngineTask, source: string, request: BuildRequest): Promise<Bundled> {
  const asked = JSON.stringify([source, request.properties]);
  const bundled = known.get(asked) ?? bundle(task, source, request);
  known.set(asked, bundled);
  return bundled;
}

/** Bundles a Node.js function as the CLI does. */
async function bundle(task: EngineTask, source: string, request: BuildRequest): Promise<Bundled> {
  const { minify = false, format = "esm", esbuild = {} } = request.properties ?? {};
  const { keepNames = true, conditions, external = [] } = esbuild;
  const isModule = format === "esm";
  const { mainFields = isModule ? ["module", "main"] : ["main"] } = esbuild;
  const result = await esbuildOf(task.platform).build({
    entryPoints: [source],
    outfile: path.join(task.root, ".sst", isModule ? "bundle.mjs" : "bundle.cjs"),
    write: false,
    absWorkingDir: task.root,
    bundle: true,
    minify,
    keepNames,
    metafile: true,
    sourcemap: "external", // The source map is a separate file, so the bundle does not change.
    format,
    platform: "node",
    target: "es2022",
    mainFields,
    conditions,
    external: ["sharp", "pg-native", ...external],
    logLevel: "silent",
    ...(isModule ? { banner: { js: BANNER } } : {}),
  });
  const outputs = Object.entries(result.metafile?.outputs ?? {});
  const output = outputs.find(([name]) => !name.endsWith(".map"))?.[1];
  if (!output) throw new Error(`esbuild wrote nothing for ${source}`);
  return { output, files: (result.outputFiles ?? []).map(fileOf) };
}

/** Returns a file that may be in any folder: its source map names the sources by whole paths. */
function fileOf({ path: at, contents }: EsbuildFile): Bundled["files"][number] {
  const name = path.basename(at);
  if (!name.endsWith(".map")) return [name, contents];
  const map = JSON.parse(Buffer.from(contents).toString());
  const sources = map.sources.map((source: string) => path.resolve(path.dirname(at), source));
  return [name, JSON.stringify({ ...map, sources })];
}

const PACKAGE = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//;

const packagesOf = ({ inputs }: EsbuildOutput): string[] => {
  const names = Object.entries(inputs).flatMap(([file, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [PACKAGE.exec(file)?.[1] ?? ""] : [],
  );
  return [...new Set(names)].filter((name) => name !== "").sort();
};

/** The names are long, because the minified code uses the short ones. */
const BANNER =
  'import { createRequire as topLevelCreateRequire } from "node:module";' +
  "const require = topLevelCreateRequire(import.meta.url);";

/**
 * Encrypts the links of a function as its package carries them: AES-256-GCM with a nonce of zeroes
 * and the tag at the end.
 */
function seal(key: string, links: object): Buffer {
  const cipher = crypto.createCipheriv("aes-256-gcm", Buffer.from(key, "base64"), Buffer.alloc(12));
  return Buffer.concat([cipher.update(JSON.stringify(links)), cipher.final(), cipher.getAuthTag()]);
}
