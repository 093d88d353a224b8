import { stopValidatingModels } from "./quick-models.ts";
import { addTally, emptyTally, tallyOf } from "./seed-tally.ts";
import { simulate } from "./simulate.ts";

/** Plays every `step`-th seed of a range, and reports to its parent now and then. */
const { from, step, to, endMs } = JSON.parse(process.env.SHARE ?? "{}");
const REPORT_MS = 2_000;

await simulate("the first one validates the models");
stopValidatingModels();
let total = emptyTally();
let reportedMs = Date.now();
for (let seed = from; seed < to && Date.now() < (endMs ?? Infinity); seed += step) {
  total = addTally(total, tallyOf(await simulate(String(seed))));
  if (Date.now() - reportedMs < REPORT_MS) continue;
  reportedMs = Date.now();
  process.send?.(total);
  total = emptyTally();
}
process.send?.(total, () => process.exit(0));
