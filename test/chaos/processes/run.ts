import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { saveRecord } from "../../proof/record.ts";
import { whereWeAre } from "../../proof/where.ts";
import { printHistory } from "../../simulation/checker/history.ts";
import { playBlackBox } from "./play.ts";
import { printVerdict, sayVerdict, verdictOf } from "./verdict.ts";

/**
 * `npm run test:fault -- --minutes 15` runs real processes with disturbed requests and kills, and
 * prints the verdict. `npm run test:fault -- --database-kills 30` keeps the database on disk and
 * kills it that often, for at least as many minutes. FAULT_MINUTES and FAULT_DATABASE_KILLS have
 * the same effect. With `--sizes 1,8,2` the stream gets these numbers of partitions in turn.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: process.env.FAULT_MINUTES ?? "1" },
    "database-kills": { type: "string", default: process.env.FAULT_DATABASE_KILLS ?? "0" },
    publishers: { type: "string", default: "32" },
    batch: { type: "string", default: "200" },
    rate: { type: "string", default: "1400" },
    intensity: { type: "string", default: "0.01" },
    sizes: { type: "string", default: "" },
    seed: { type: "string", default: process.env.SEED ?? String(Date.now()) },
    results: { type: "string" },
    history: { type: "string" },
  },
});

const began = new Date();
const options = {
  seed: values.seed,
  seconds: Number(values.minutes) * 60,
  publishers: Number(values.publishers),
  batch: Number(values.batch),
  rate: Number(values.rate),
  intensity: Number(values.intensity),
  databaseKills: Number(values["database-kills"]),
  ...(values.sizes === "" ? {} : { sizes: values.sizes.split(",").map(Number) }),
};
const where = whereWeAre();
const database = options.databaseKills > 0 ? "disk" : "memory";
console.log(`black box, database in ${database}: ${JSON.stringify(options)}`);
const played = await playBlackBox({ ...options, onProgress: console.log });
const { history, violations, counts, recovery } = played;
if (values.history !== undefined) writeFileSync(values.history, printHistory(history));
const verdict = verdictOf(played);
const path = values.results ?? `test/results/blackbox-${database}.json`;
const minutes = (Date.now() - began.getTime()) / 60_000;
const figures = {
  began: began.toISOString(),
  database,
  ...options,
  verdict,
  recovery,
  violations,
  counts,
};
saveRecord(path, sayVerdict(verdict, { database, minutes }), figures, where);
console.log(printVerdict(verdict));
console.log(`from the last fault on: ${JSON.stringify(recovery)}`);
for (const { name, detail } of violations.slice(0, 20)) console.log(`${name}: ${detail}`);
console.log(`everything in ${path}`);
process.exit(violations.length === 0 ? 0 : 1);
