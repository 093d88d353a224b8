import { writeFileSync } from "node:fs";
import { performancePage } from "./page.ts";
import { loadResults } from "./results.ts";

/** Prints docs/performance.md from the results of the benchmarks. `--write` writes it. */
const page = performancePage(loadResults());
if (process.argv.includes("--write")) {
  writeFileSync(new URL("../../docs/performance.md", import.meta.url), page);
}
process.stdout.write(page);
