import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { printHistory } from "../history/history.ts";
import { versionsOf } from "../sim/seed-tally.ts";
import { playBlackBox } from "./play.ts";

/** `npm run test:fault -- --minutes 15`: real processes, spoiled requests, kills; then the verdict. */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    publishers: { type: "string", default: "8" },
    intensity: { type: "string", default: "0.03" },
    seed: { type: "string", default: String(Date.now()) },
    results: { type: "string" },
    history: { type: "string" },
  },
});

const began = new Date();
const options = {
  seed: values.seed,
  seconds: Number(values.minutes) * 60,
  publishers: Number(values.publishers),
  intensity: Number(values.intensity),
};
console.log(`black box: ${JSON.stringify(options)}`);
const { history, ...played } = await playBlackBox({ ...options, onProgress: console.log });
if (values.history !== undefined) writeFileSync(values.history, printHistory(history));
const results = { began: began.toISOString(), ...options, ...versionsOf(), ...played };
console.log(JSON.stringify(results, null, 2));
if (values.results !== undefined) {
  writeFileSync(values.results, `${JSON.stringify(results, null, 2)}\n`);
}
process.exit(played.violations.length === 0 ? 0 : 1);
