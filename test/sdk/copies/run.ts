import { parseArgs } from "node:util";
import { count, none } from "../../proof/record.ts";
import { keepRecord } from "../../support/keep-record.ts";
import { play } from "./play.ts";

/** `npm run copies` publishes 100,000 events and kills each process ten times. */
const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    keys: { type: "string", default: "5000" },
    kills: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now()) },
  },
});
const plan = {
  seed: Number(values.seed),
  events: Number(values.events),
  keys: Number(values.keys),
};
const outcome = await play({ ...plan, kills: Number(values.kills), intensity: 0.1 });
console.log(JSON.stringify({ ...plan, ...outcome }, null, 2));
const { lost, twice, disordered, copies, kills, faults, requests } = outcome;
const names = Object.keys(copies);
const wrong = Object.values(copies).reduce((sum, { wrongRows }) => sum + wrongRows, 0);
// A copy in memory is built once in each process. No process builds it twice.
const again = Object.values(copies).filter(({ round }) => round > 1);
const violations = lost + twice + disordered + wrong + again.length;
keepRecord(
  "copies",
  {
    part: "Copies of the SDK",
    ran: `${count(plan.events, "event")} published through a proxy that spoiled ${count(faults, "request")} of ${count(requests, "request")}, copied by views in ${names.join(", ")}; ${count(kills, "kill")} of the publisher and the views`,
    found: `${none(violations, "difference")} between the plan, the log and the copies; ${again.length === 0 ? "no copy was built twice" : `**${again.length} copies built twice**`}`,
  },
  { ...plan, ...outcome },
);
if (violations > 0) process.exitCode = 1;
process.exit();
