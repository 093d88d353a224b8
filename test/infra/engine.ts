import crypto from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { startCli } from "./cli-calls.ts";
import { answerCall, madeUpOutputs } from "./made-up-aws.ts";
import type { Monitor, Pulumi, PulumiState, ResourceRequest } from "./pulumi-types.ts";

/** The task of the child process: evaluate the program once. */
export interface EngineTask {
  /** The path of the module from `bundleProgram`. */
  program: string;
  root: string;
  platform: string;
  workDir: string;
  stage: string;
  dev: boolean;
  /** The folder for the bundles of the Lambda handlers. With null they are not bundled. */
  bundlesDir: string | null;
  /** Lambda's limit of concurrent executions in the made-up account. */
  concurrency: number;
  /** The settings and secrets of the deployment. No variable of an earlier task remains. */
  env: Record<string, string>;
}

export interface Registered {
  type: string;
  name: string;
  /** Plain JSON. Secrets are in clear text, and a file or an archive is "asset". */
  inputs: Record<string, unknown>;
  /** The name of the component that it belongs to. */
  parent: string | undefined;
  /** Whether the engine refuses to delete it, by its own setting or an inherited one. */
  protect: boolean;
  /** Whether it stays in the account when the program no longer names it. */
  retainOnDelete: boolean;
}

export interface EngineReport {
  app: { name: string; removal: string; protect: boolean; version?: string };
  resources: Registered[];
  outputs: Record<string, unknown>;
  /** The Lambda functions that the CLI was asked to bundle, by name. */
  bundles: Record<string, Bundle>;
  errors: string[];
}

export interface Bundle {
  handler: string;
  dir: string;
  bytes: number;
  /** The npm packages in it, without this project's own. */
  packages: readonly string[];
  links: object;
}

type Running = { readonly report: EngineReport; stopCli(): void };

const { channel } = process;
const platform = process.argv[2] ?? "";
const requireOfPlatform = createRequire(path.join(platform, "package.json"));
const pulumi: Pulumi = requireOfPlatform("@pulumi/pulumi");
const { withLocalStorage }: PulumiState = requireOfPlatform("@pulumi/pulumi/runtime/state");
let running: Running | undefined;
let count = 0;

process.on("unhandledRejection", fail);
process.on("uncaughtException", fail);
process.on("disconnect", () => process.exit());
// Without this, the random suffix of every physical name would differ between runs.
crypto.randomBytes = ((size: number) => Buffer.alloc(size, 7)) as typeof crypto.randomBytes;

process.on("message", (task: EngineTask) => {
  // While a program runs, only the program keeps the process alive.
  channel?.unref();
  void withLocalStorage(() => evaluate(task).catch(fail));
});

// Pulumi does not report the end of a program. The program is done when the event loop is empty, so
// nothing of it reaches into the next one.
process.on("beforeExit", () => {
  if (running === undefined) return;
  const { report, stopCli } = running;
  running = undefined;
  stopCli();
  report.resources.sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1));
  channel?.ref();
  process.send?.(report);
});

/** The variables of the last task. */
let variables: readonly string[] = [];

/**
 * Evaluates the program. The program, SST's components and their state are loaded again, and the
 * packages of Pulumi are not: loading them takes most of the time of a first evaluation.
 */
async function evaluate(task: EngineTask): Promise<void> {
  const report: EngineReport = {
    app: { name: "", removal: "", protect: false },
    resources: [],
    outputs: {},
    bundles: {},
    errors: [],
  };
  running = { report, stopCli: () => {} };
  for (const name of variables) delete process.env[name];
  variables = Object.keys(task.env);
  Object.assign(process.env, task.env, { HOME: task.workDir, SST_AWS_REGION: "eu-west-1" });
  const { app, load } = await import(`${pathToFileURL(task.program).href}?${count++}`);
  report.app = { protect: false, removal: "retain", ...(await app({ stage: task.stage })) };
  setGlobals(task, report);
  const cli = await startCli(task, report.bundles);
  running.stopCli = cli.stop;
  process.env.SST_SERVER = cli.url;
  await pretendEngine(task, report);
  report.outputs = plain(await pulumi.runtime.runInPulumiStack(await load())) as Record<
    string,
    unknown
  >;
}

function fail(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (running === undefined) {
    console.error(text);
    process.exit(1);
  }
  const { errors } = running.report;
  if (!errors.includes(text)) errors.push(text);
}

/** Sets the constants that the CLI compiles into a program. */
function setGlobals(task: EngineTask, report: EngineReport): void {
  const { root, platform, workDir, stage, dev } = task;
  const paths = { home: workDir, root, work: path.join(workDir, "sst"), platform };
  Object.assign(globalThis, {
    $app: { providers: {}, ...report.app, stage },
    $dev: dev,
    $cli: { command: dev ? "dev" : "deploy", dev, home: "aws", paths, state: { version: {} } },
  });
}

async function pretendEngine(task: EngineTask, report: EngineReport): Promise<void> {
  const newResource = (request: ResourceRequest) => {
    const inputs = plain(request.inputs ?? {}) as Registered["inputs"];
    const asked = request.id ? { ...inputs, existing: request.id } : inputs;
    const outputs = madeUpOutputs(request.type, request.name, asked);
    const id = request.custom ? String(request.id || outputs.id || `${request.name}-id`) : "";
    if (!isScaffold(request.type)) {
      const unknownYet = { parent: undefined, protect: false, retainOnDelete: false };
      report.resources.push({ type: request.type, name: request.name, inputs, ...unknownYet });
    }
    return { id, state: { ...request.inputs, ...outputs } };
  };
  const call = ({ token, inputs }: { token: string; inputs: Record<string, unknown> }) =>
    answerCall(token, inputs, task);
  await pulumi.runtime.setMocks({ newResource, call }, report.app.name, task.stage, false);
  noteOptions(pulumi.runtime.getMonitor(), report);
}

const isScaffold = (type: string) => type.startsWith("pulumi:");

/** Mocks do not receive resource options, so these are read from what is sent to the engine. */
function noteOptions(monitor: Monitor, report: EngineReport): void {
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) =>
    register(request, (error, response) => {
      const [type, name] = [request.getType(), request.getName()];
      const resource = report.resources.find((one) => one.type === type && one.name === name);
      if (resource) {
        const parent = request.getParent();
        resource.parent = isRootUrn(parent) ? undefined : parent.split("::").at(-1);
        resource.protect = request.getProtect() === true;
        resource.retainOnDelete = request.getRetainondelete() === true;
      }
      done(error, response);
    });
}

const isRootUrn = (urn: string) => urn === "" || urn.includes("pulumi:pulumi:Stack::");

/**
 * The marker by which Pulumi's wire format distinguishes secrets, assets and references from plain
 * objects.
 */
const MARK = "4dabf18193072939515e22adb298388d";

function plain(value: unknown): unknown {
  if (pulumi.asset.Asset.isInstance(value) || pulumi.asset.Archive.isInstance(value))
    return "asset";
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (MARK in value) return "value" in value ? plain(value.value) : "reference";
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
