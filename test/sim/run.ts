import { fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { printFailure } from "./print-failure.ts";
import { addTally, emptyTally, printTally, type SeedTally, versionsOf } from "./seed-tally.ts";
import { simulate } from "./simulate.ts";

/**
 * `npm run sim`: plays seeds and stops at nothing until all are played.
 * `SEED=17 npm run sim` plays one seed twice, compares, and prints what went wrong; `PLAN={"keys":1}`
 * sets parts of its plan.
 * `npm run sim -- --seeds 200000 --from 0 --workers 2 --results test/results/sim.json` plays a range.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "500" },
    from: { type: "string", default: "0" },
    workers: { type: "string", default: "2" },
    minutes: { type: "string" },
    results: { type: "string" },
  },
});

/** Everything about one seed; fails when two runs of it differ. */
async function playOne(name: string): Promise<number> {
  const plan = JSON.parse(process.env.PLAN ?? "{}");
  const first = await simulate(name, plan);
  const second = await simulate(name, plan);
  const same = JSON.stringify(first) === JSON.stringify(second);
  console.log(printFailure(first));
  console.log(same ? "The seed plays the same twice." : "THE SEED DOES NOT PLAY THE SAME TWICE.");
  return same && first.violations.length === 0 ? 0 : 1;
}

async function playRange(): Promise<number> {
  const [from, seeds, workers] = [values.from, values.seeds, values.workers].map(Number) as [
    number,
    number,
    number,
  ];
  const began = new Date();
  const endMs =
    values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * 60_000;
  let total = emptyTally();
  let shownMs = Date.now();
  const onTally = (tally: SeedTally): void => {
    total = addTally(total, tally);
    for (const { seed: bad, violations } of tally.failures) {
      console.log(`SEED=${bad} ${violations.join("; ")}`);
    }
    if (Date.now() - shownMs < 10_000) return;
    shownMs = Date.now();
    console.log(
      `${total.seeds} of ${seeds} seeds, ${total.operations} operations, ${total.faults} faults`,
    );
    save(total, began);
  };
  await Promise.all(
    Array.from({ length: workers }, (_, worker) =>
      playShare({ from: from + worker, step: workers, to: from + seeds, endMs }, onTally),
    ),
  );
  console.log(printTally(total));
  save(total, began);
  return total.failures.length === 0 ? 0 : 1;
}

type Share = { from: number; step: number; to: number; endMs: number };

/** One process plays every `step`-th seed. Resolves when it is done; rejects when it ends badly. */
const playShare = (share: Share, onTally: (tally: SeedTally) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./play-share.ts", import.meta.url)), {
      env: { ...process.env, SHARE: JSON.stringify(share) },
    });
    child.on("message", (tally) => onTally(tally as SeedTally));
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`A player ended with ${code}`));
    });
  });

function save(total: SeedTally, began: Date): void {
  if (values.results === undefined) return;
  const results = {
    ...{ began: began.toISOString(), ended: new Date().toISOString(), from: Number(values.from) },
    ...{ workers: Number(values.workers), ...versionsOf(), ...total },
  };
  mkdirSync(dirname(values.results), { recursive: true });
  writeFileSync(values.results, `${JSON.stringify(results, null, 2)}\n`);
}

const seed = process.env.SEED;
process.exitCode = seed === undefined ? await playRange() : await playOne(seed);
