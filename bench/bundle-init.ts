import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { esbuildOf } from "../test/infra/bundle-program.ts";
import { evaluateHere } from "../test/infra/evaluate-here.ts";
import { Inventory } from "../test/infra/inventory.ts";
import { platform, root } from "../test/infra/platform.ts";

/**
 * Measures the part of a cold start that AWS does not decide: the import of each function's bundle,
 * as Lambda does it, in fresh processes. It also measures the import of the AWS client and of
 * ElectroDB alone, as SST bundles them by default. `npm run bundle:init` prints the medians and
 * writes them to results/bundle-init.json. It exits with 1 when the router exceeds its limit. On a
 * busy machine the CPU time is more reliable than the elapsed time. The load of the machine is
 * recorded.
 */
const RUNS = 20;
const ROUTER_MS_MAX = 80;
const ROUTER_RATIO_MAX = 1.3;
const RESULT = path.join(import.meta.dirname, "results", "bundle-init.json");

const workDir = mkdtempSync(path.join(os.tmpdir(), "bundle-init-"));
try {
  const inventory = new Inventory(await evaluateHere({ stage: "bench", bundlesDir: workDir }));
  const { variables } = inventory.inputs("Function", "Router").environment as {
    variables: Record<string, string>;
  };
  const bundles: [name: string, dir: string, bytes: number][] = [
    ["clientAndElectroDb", ...(await bundleBaseline())],
    ...Object.entries(inventory.bundles).map(([name, { dir, bytes }]): [string, string, number] => [
      name,
      dir,
      bytes,
    ]),
  ];
  const times = bundles.map((): Import[] => []);
  const busy = os.loadavg()[0] ?? 0;
  // The runs are interleaved, so that other load on the machine affects all of them alike.
  for (let run = 0; run < RUNS; run++) {
    bundles.forEach(([, dir], index) => {
      times[index]?.push(importOnce(dir, variables));
    });
  }
  const medians = bundles.map(([name, , bytes], index) => {
    const runs = times[index] ?? [];
    const [initMs, cpuMs] = [runs.map((run) => run.initMs), runs.map((run) => run.cpuMs)];
    return { name, bytes, initMs: median(initMs), cpuMs: median(cpuMs) };
  });
  report(medians, Math.max(busy, os.loadavg()[0] ?? 0));
} finally {
  rmSync(workDir, { recursive: true });
}

type Import = { readonly initMs: number; readonly cpuMs: number };

function report(medians: (Import & { name: string; bytes: number })[], busy: number): void {
  const none = { initMs: Number.NaN, cpuMs: Number.NaN };
  const [alone, router] = [
    medians[0] ?? none,
    medians.find(({ name }) => name === "Router") ?? none,
  ];
  const ratio = twoDigits(router.initMs / alone.initMs);
  const cpuRatio = twoDigits(router.cpuMs / alone.cpuMs);
  const method = `median of ${RUNS} fresh processes, Node ${process.versions.node}`;
  const machine = `${os.availableParallelism()} cores, ${os.cpus()[0]?.model.trim() ?? "unknown"}`;
  const result = {
    measuredOn: today(),
    method,
    machine,
    loadAverage: twoDigits(busy),
    routerRatio: ratio,
    routerCpuRatio: cpuRatio,
    bundles: medians,
  };
  console.table(medians);
  console.log(`The router takes ${ratio} times as long as the client and ElectroDB alone.`);
  mkdirSync(path.dirname(RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
  if (router.initMs <= ROUTER_MS_MAX && ratio <= ROUTER_RATIO_MAX) return;
  console.error(`It may take ${ROUTER_MS_MAX} ms and ${ROUTER_RATIO_MAX} times as long.`);
  process.exitCode = 1;
}

async function bundleBaseline(): Promise<[dir: string, bytes: number]> {
  const dir = path.join(workDir, "baseline");
  const built = await esbuildOf(platform).build({
    stdin: {
      contents: `
        import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
        import { Entity, Service } from "electrodb";
        export const handler = [DynamoDBClient, Entity, Service];`,
      resolveDir: root,
    },
    outfile: path.join(dir, "bundle.mjs"),
    bundle: true,
    minify: true,
    keepNames: true,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    mainFields: ["module", "main"],
    logLevel: "silent",
    banner: {
      js: 'import { createRequire as require$ } from "node:module";const require = require$(import.meta.url);',
    },
  });
  return [dir, Object.values(built.metafile?.outputs ?? {})[0]?.bytes ?? 0];
}

function importOnce(dir: string, variables: Record<string, string>): Import {
  const script =
    'import { existsSync } from "node:fs"; import { createRequire } from "node:module";' +
    'const [require, common] = [createRequire(process.cwd() + "/"), existsSync("bundle.cjs")];' +
    "const [cpu, began] = [process.cpuUsage(), performance.now()];" +
    'common ? require("./bundle.cjs") : await import(process.cwd() + "/bundle.mjs");' +
    "const [initMs, { user, system }] = [performance.now() - began, process.cpuUsage(cpu)];" +
    "console.log(JSON.stringify({ initMs, cpuMs: (user + system) / 1_000 })); process.exit(0);";
  const args = ["--input-type=module", "--eval", script];
  const env = { ...variables, AWS_REGION: "eu-west-1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: dir,
    env,
    encoding: "utf8" as const,
    timeout: 30_000,
  });
  if (status !== 0) throw new Error(`${dir} cannot be imported:\n${stderr.slice(-2_000)}`);
  return JSON.parse(stdout);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return Math.round(middle * 10) / 10;
}

function twoDigits(value: number): number {
  return Math.round(value * 100) / 100;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
