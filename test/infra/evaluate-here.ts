import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import path from "node:path";
import { bundleProgram } from "./bundle-program.ts";
import type { EngineReport, EngineTask } from "./engine.ts";
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

/**
 * Runs sst.config.ts and infra/ with SST's real components and made-up answers of AWS. Returns
 * every resource that a deployment would request. The first one takes 4 seconds, and others less
 * than one. Rejects with the program's own errors. It cannot find out what AWS itself would refuse.
 */
export async function evaluateHere(evaluation: Evaluation): Promise<EngineReport> {
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
    return report;
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

const EVALUATION_MS = 150_000;

/** The engine of this process, while it lives, and the end of its last task. */
let engine: Engine | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Gives a task to the engine of this process, after those that it already has. */
function runEngine(task: EngineTask): Promise<EngineReport> {
  const report = last.then(() => {
    engine ??= startEngine();
    return engine.run(task);
  });
  last = report.catch(() => {});
  return report;
}

type Engine = { run(task: EngineTask): Promise<EngineReport> };

/**
 * Starts a process that evaluates one task after another, because loading Pulumi takes longer than
 * an evaluation. It ends with this process.
 */
function startEngine(): Engine {
  const child = fork(path.join(import.meta.dirname, "engine.ts"), [platform], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      TZ: "UTC",
      // Compiling Pulumi's and SST's code takes most of the time that is left.
      NODE_COMPILE_CACHE: path.join(platform, ".compiled"),
    },
    execArgv: ["--no-warnings"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    (stream as Socket)
      .unref()
      .setEncoding("utf8")
      .on("data", (text: string) => {
        printed += text;
      });
  }
  // An idle engine must not keep this process alive.
  child.unref();
  child.channel?.unref();
  child.once("close", () => {
    engine = undefined;
  });
  return {
    async run(task) {
      printed = "";
      const ended = new AbortController();
      const timer = setTimeout(() => child.kill(), EVALUATION_MS);
      try {
        const report = once(child, "message", ended);
        const closed = once(child, "close", ended).then(([code, signal]) => {
          const how = `The program ended (${signal ?? code}) without a report.`;
          throw new Error(`${how}\n${printed}`);
        });
        child.send(task);
        const [answer] = await Promise.race([report, closed]);
        return answer as EngineReport;
      } finally {
        clearTimeout(timer);
        ended.abort();
      }
    },
  };
}

const asSecretEnv = (secrets: Record<string, string>) =>
  Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`SST_SECRET_${name}`, value]));
