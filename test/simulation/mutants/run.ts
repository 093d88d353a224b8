import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { saveRecord } from "../../proof/record.ts";
import { whereWeAre } from "../../proof/where.ts";
import { loadKillers, printVerdict, runGate, runUnspoiled } from "./gate.ts";
import { MUTANTS } from "./mutants.ts";
import { sayGate, sayUnspoiled } from "./say-verdicts.ts";

/**
 * `npm run test:mutants` removes every rule of the log, one at a time, and prints which seed of the
 * simulation noticed and how. `--unspoiled` plays the same plans with all rules in place.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    minutes: { type: "string", default: "4" },
    workers: { type: "string", default: "2" },
    only: { type: "string" },
    results: { type: "string" },
    unspoiled: { type: "boolean", default: false },
    learn: { type: "boolean", default: false },
  },
});

const began = new Date();
const where = whereWeAre();
const verdicts = values.unspoiled
  ? await runUnspoiled(Number(values.seeds))
  : await runGate({
      count: Number(values.seeds),
      minutesEach: Number(values.minutes),
      workers: Number(values.workers),
      only: MUTANTS.map(({ rule }) => rule).filter((rule) => rule.includes(values.only ?? "")),
      onVerdict: (verdict) => console.log(printVerdict(verdict)),
    });
const killed = verdicts.filter((verdict) => verdict.killed).length;
console.log(`${killed} of ${verdicts.length} mutants killed`);
if (values.unspoiled) for (const verdict of verdicts) console.log(printVerdict(verdict));
if (values.learn) {
  const known = { ...loadKillers() };
  for (const { rule, seed } of verdicts) if (seed !== undefined) known[rule] = seed;
  writeFileSync(join(import.meta.dirname, "killers.json"), `${JSON.stringify(known, null, 2)}\n`);
}
if (values.results !== undefined) {
  const times = { began: began.toISOString(), ended: new Date().toISOString() };
  const figures = { ...times, killed, of: verdicts.length, verdicts };
  const said = values.unspoiled ? sayUnspoiled(verdicts) : sayGate(verdicts);
  saveRecord(values.results, said, figures, where);
}
process.exitCode = killed === (values.unspoiled ? 0 : verdicts.length) ? 0 : 1;
