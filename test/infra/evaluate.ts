import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { bundleProgram } from "./bundle-program.ts";
import type { EngineReport, EngineTask } from "./engine.ts";
import { Inventory } from "./inventory.ts";
import { ensurePlatform, platform, root } from "./platform.ts";

export interface Evaluation {
  stage: string;
  /** True evaluates as `sst dev` does, instead of `sst deploy`. */
  dev?: boolean;
  /** The settings of the deployment (docs/deploy.md). */
  env?: Record<string, string>;
  /** The values for `sst.Secret`, by name. By default all secrets have one. */
  secrets?: Record<string, string>;
  /**
   * The folder for the bundles of the real Lambda handlers. Without it, the handlers are not
   * checked.
   */
  bundlesDir?: string;
  /** The account's limit of concurrent executions. The default is 1,000. */
  concurrency?: number;
}

export const SECRETS = {
  AdminKey: "admin-key-of-the-test",
  CursorKey: "cursor-key-of-the-test",
  PushKey: "push-key-of-the-tests",
};

/** The evaluations of this process. Several files ask for the same stage. */
const known = new Map<string, Promise<Inventory>>();

/** Returns what a deployment would request. The same evaluation runs once in a process. */
export function evaluate(evaluation: Evaluation): Promise<Inventory> {
  const asked = JSON.stringify(evaluation);
  const inventory = known.get(asked) ?? evaluateOnce(evaluation);
  known.set(asked, inventory);
  return inventory;
}

/**
 * Runs sst.config.ts and infra/ with SST's real components and made-up answers of AWS. Returns
 * every resource that a deployment would request. Takes about 2 seconds. Rejects with the program's
 * own errors. It cannot find out what AWS itself would refuse.
 */
async function evaluateOnce(evaluation: Evaluation): Promise<Inventory> {
  await ensurePlatform();
  const program = await bundleProgram();
  const workDir = mkdtempSync(path.join(platform, ".evaluation-"));
  try {
    const report = await runEngine({
      program,
      root,
      platform,
      workDir,
      stage: evaluation.stage,
      dev: evaluation.dev ?? false,
      bundlesDir: evaluation.bundlesDir ?? null,
      concurrency: evaluation.concurrency ?? 1_000,
      env: { ...evaluation.env, ...asSecretEnv(evaluation.secrets ?? SECRETS) },
    });
    if (report.errors.length > 0) throw new Error(report.errors.join("\n"));
    return new Inventory(report);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

async function runEngine({ env, ...task }: EngineTask & { env: Record<string, string> }) {
  const child = fork(path.join(import.meta.dirname, "engine.ts"), [JSON.stringify(task)], {
    cwd: task.root,
    env: {
      PATH: process.env.PATH,
      HOME: task.workDir,
      TZ: "UTC",
      // Compiling Pulumi's and SST's code takes most of the time of an evaluation.
      NODE_COMPILE_CACHE: path.join(platform, ".compiled"),
      ...env,
    },
    execArgv: ["--no-warnings"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    timeout: 60_000,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  let report: EngineReport | undefined;
  child.on("message", (message) => {
    report = message as EngineReport;
  });
  const [code, signal] = await once(child, "close");
  if (!report)
    throw new Error(`The program ended (${signal ?? code}) without a report.\n${printed}`);
  return report;
}

const asSecretEnv = (secrets: Record<string, string>) =>
  Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`SST_SECRET_${name}`, value]));
