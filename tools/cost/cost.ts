import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { startStore } from "../../packages/local/src/store.ts";
import { type Measured, measure } from "./measure.ts";
import { costPage } from "./page.ts";

/**
 * Prints the monthly cost of EventLedger. `--measure` measures the capacity units on DynamoDB Local
 * and stores them in measured.json. `--write` writes docs/cost.md.
 */
const MEASURED = path.join(import.meta.dirname, "measured.json");
const PAGE = path.join(import.meta.dirname, "../../docs/cost.md");

if (process.argv.includes("--measure")) {
  const dynamo = await startStore();
  try {
    const measured = await measure(dynamo.endpoint);
    writeFileSync(MEASURED, `${JSON.stringify(measured, null, 2)}\n`);
  } finally {
    await dynamo.stop();
  }
}
const measured: Measured = JSON.parse(readFileSync(MEASURED, "utf8"));
const page = costPage(measured);
if (process.argv.includes("--write")) writeFileSync(PAGE, page);
process.stdout.write(page);
