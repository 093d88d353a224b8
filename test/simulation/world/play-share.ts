import "./quick-electrodb.ts";
import { addTally, emptyTally, type SeedTally, tallyOf } from "./seed-tally.ts";
import { simulate } from "./simulate.ts";

/** Every `step`-th seed from `next` on, below `to`. The names of the seeds begin with `prefix`. */
export type Share = {
  readonly prefix: string;
  readonly next: number;
  readonly step: number;
  readonly to: number;
  readonly endMs: number;
};

/** The results of the seeds since the last report, and the first seed that is not included. */
export type ShareReport = { readonly tally: SeedTally; readonly next: number };

/**
 * Plays its share of a range, and reports to its parent from time to time. Ends with its parent.
 */
const { prefix, next, step, to, endMs }: Share = JSON.parse(process.env.SHARE ?? "{}");
const REPORT_MS = 2_000;
process.on("disconnect", () => process.exit(1));

let tally = emptyTally();
let reportedMs = Date.now();
let seed = next;
for (; seed < to && Date.now() < (endMs ?? Infinity); seed += step) {
  if (Date.now() - reportedMs >= REPORT_MS) {
    process.send?.({ tally, next: seed } satisfies ShareReport);
    tally = emptyTally();
    reportedMs = Date.now();
  }
  tally = addTally(tally, tallyOf(await simulate(`${prefix}${seed}`)));
}
process.send?.({ tally, next: seed } satisfies ShareReport, () => process.exit(0));
