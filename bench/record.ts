import { writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { storeVersions } from "../test/support/store-versions.ts";

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
