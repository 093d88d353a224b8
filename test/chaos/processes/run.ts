import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readStoreKind } from "../../../packages/local/src/settings.ts";
import { saveRecord } from "../../proof/record.ts";
import { whereWeAre } from "../../proof/where.ts";
import { printHistory } from "../../simulation/checker/history.ts";
import { storeVersions } from "../../support/store-versions.ts";
import { changeTimesOf } from "./change-times.ts";
import { playBlackBox } from "./play.ts";
import { printVerdict, sayVerdict, verdictOf } from "./verdict.ts";

/**
 * `npm run test:fault -- --minutes 15` runs real processes with disturbed requests and kills, and
 * prints the verdict. `npm run test:fault -- --database-kills 30` keeps the database on disk and
 * kills it that often, for at least as many minutes. FAULT_MINUTES and FAULT_DATABASE_KILLS have
 * the same effect. With `--sizes 1,8,2` the stream gets these numbers of partitions in turn, and
 * the record says how long publishes took meanwhile. `--events` makes the run up to twice as long,
 * until so many events are acknowledged.
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
    workers: { type: "string", default: "3" },
    bootstrappers: { type: "string", default: "3" },
    events: { type: "string", default: "0" },
    seed: { type: "string", default: process.env.SEED ?? String(Date.now()) },
    results: { type: "string" },
    history: { type: "string" },
  },
});

const began = new Date();
const sizes = values.sizes === "" ? [] : values.sizes.split(",").map(Number);
const options = {
  seed: values.seed,
  seconds: Number(values.minutes) * 60,
  publishers: Number(values.publishers),
  batch: Number(values.batch),
  rate: Number(values.rate),
  intensity: Number(values.intensity),
  databaseKills: Number(values["database-kills"]),
  ...(sizes.length === 0 ? {} : { sizes, workers: Number(values.workers) }),
  bootstrappers: Number(values.bootstrappers),
  eventsMin: Number(values.events),
};
const where = whereWeAre();
const database = options.databaseKills > 0 ? "disk" : "memory";
const versions = storeVersions(readStoreKind(process.env.EVENTLEDGER_STORE || undefined));
const { store } = versions;
console.log(`black box, ${store} in ${database}: ${JSON.stringify(options)}`);
const played = await playBlackBox({ ...options, onProgress: console.log });
const { history, violations, counts, recovery } = played;
if (values.history !== undefined) writeFileSync(values.history, printHistory(history));
const verdict = verdictOf(played);
const name = sizes.length > 1 ? "partitions" : database;
const path = values.results ?? `test/results/blackbox-${name}.json`;
const changed =
  sizes.length > 1 ? { changed: { sizes, times: changeTimesOf(history, played) } } : {};
const minutes = (Date.now() - began.getTime()) / 60_000;
const figures = {
  began: began.toISOString(),
  database,
  ...versions,
  ...options,
  verdict,
  recovery,
  ...changed,
  violations,
  counts,
};
saveRecord(path, sayVerdict(verdict, { database, store, minutes, ...changed }), figures, where);
console.log(printVerdict(verdict));
if (changed.changed !== undefined) console.log(JSON.stringify(changed.changed.times, null, 2));
console.log(`from the last fault on: ${JSON.stringify(recovery)}`);
for (const { name, detail } of violations.slice(0, 20)) console.log(`${name}: ${detail}`);
console.log(`everything in ${path}`);
process.exit(violations.length === 0 ? 0 : 1);
