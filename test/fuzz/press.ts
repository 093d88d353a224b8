import { parseArgs } from "node:util";
import { count, none } from "../proof/record.ts";
import { faultsOf, pressApart } from "./press-server.ts";
import { saveResult } from "./save-result.ts";

/**
 * `npm run test:press` runs idle, slow and vanishing clients against a server and prints figures.
 * It exits with 1 unless these hold: the 99th percentile of publishes is less than twice that
 * without such clients, no publish and no long poll fails, and the server's memory stays within 10
 * MB of its start. `-- --seconds 60 --results test/results/press.json` sets the duration and the
 * file for the result.
 */
const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, results: { type: "string" } },
});
const rules = { p99Factor: 2, p99FloorMs: 0 };
const press = {
  seconds: Number(values.seconds),
  idle: 5_000,
  slow: 200,
  earlyCloses: 50,
  patient: 20,
};
const report = await pressApart(process.env.DYNAMODB_ENDPOINT, press);
const faults = faultsOf(report, press, rules);
const shown = { press, rules, ...report, faults };
console.log(JSON.stringify(shown, undefined, 2));
const ms = (value: number) => `${value.toFixed(1)} ms`;
const ran = [
  `${press.seconds} s`,
  count(press.idle, "idle connection"),
  count(press.slow, "slow client"),
  count(report.opened, "connection"),
  `${count(report.hungUp, "client")} that hang up`,
];
const found = [
  none(faults.length, "broken rule"),
  `p99 of a publish ${ms(report.pressedP99Ms)} under pressure, ${ms(report.quietP99Ms)} without`,
];
const part = "Slow, idle and vanishing clients";
saveResult(values.results, { part, ran: ran.join(", "), found: found.join(", ") }, shown);
process.exit(faults.length === 0 ? 0 : 1);
