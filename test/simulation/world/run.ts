import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { whereWeAre } from "../../proof/where.ts";
import { type Campaign, loadCampaign, playFailedAgain, saveCampaign } from "./campaign.ts";
import { explainFailure } from "./explain-failure.ts";
import type { Share, ShareReport } from "./play-share.ts";
import { printFailure } from "./print-failure.ts";
import { addTally, missingFrom, printTally } from "./seed-tally.ts";
import { simulate } from "./simulate.ts";
import { BRIEF, KINDS } from "./world.ts";

/**
 * `npm run sim` plays seeds, and continues after failures. `SEED=17 npm run sim` plays one seed
 * twice, compares the runs, and prints what went wrong with the smallest failing plan.
 * `PLAN={"keys":1}` sets parts of its plan. `npm run sim -- --brief --seeds 200000 --workers 2
 * --results test/results/sim.json` plays a range with one process for each worker. If it is
 * interrupted, the same command continues where the file ends. `--kind listing` plays the seeds of
 * another kind.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "500" },
    from: { type: "string", default: "0" },
    workers: { type: "string", default: "2" },
    brief: { type: "boolean", default: false },
    kind: { type: "string" },
    minutes: { type: "string" },
    results: { type: "string" },
  },
});

/** Prints everything about one seed. Fails when two runs of it differ. */
async function playOne(name: string): Promise<number> {
  const plan = JSON.parse(process.env.PLAN ?? "{}");
  const first = await simulate(name, plan);
  const second = await simulate(name, plan);
  const same = JSON.stringify(first) === JSON.stringify(second);
  const failed = first.violations.length > 0;
  console.log(failed ? await explainFailure(first) : printFailure(first));
  console.log(same ? "The seed plays the same twice." : "THE SEED DOES NOT PLAY THE SAME TWICE.");
  return same && !failed ? 0 : 1;
}

const SHOW_MS = 10_000;

async function playRange(): Promise<number> {
  const [from, seeds, workers] = [values.from, values.seeds, values.workers].map(Number) as [
    number,
    number,
    number,
  ];
  const prefix = values.kind === undefined ? (values.brief ? BRIEF : "") : `${values.kind}-`;
  const kinds: readonly string[] = ["", ...KINDS];
  if (!kinds.includes(prefix)) throw new Error(`--kind is one of ${KINDS.join(" ")}`);
  const asked = { prefix, from, seeds, workers };
  let campaign = await playFailedAgain(
    loadCampaign(values.results, asked, whereWeAre()),
    async (failed) => (await simulate(failed)).violations.length === 0,
  );
  const beganMs = Date.now();
  const before = campaign.total;
  const endMs = values.minutes === undefined ? Infinity : beganMs + Number(values.minutes) * 60_000;
  let shownMs = beganMs;
  const onReport = (worker: number, { tally, next }: ShareReport): void => {
    const total = addTally(campaign.total, tally);
    campaign = { ...campaign, total, next: campaign.next.with(worker, next) };
    for (const { seed, violations } of tally.failures) {
      console.log(`SEED=${seed} ${violations.join("; ")}`);
    }
    if (Date.now() - shownMs < SHOW_MS) return;
    shownMs = Date.now();
    console.log(progressOf(campaign, before.seeds, (shownMs - beganMs) / 1_000));
    saveCampaign(values.results, campaign);
  };
  await Promise.all(
    campaign.next.map((next, worker) =>
      playShare({ prefix: asked.prefix, next, step: workers, to: from + seeds, endMs }, (report) =>
        onReport(worker, report),
      ),
    ),
  );
  console.log(printTally(campaign.total));
  const missing = missingFrom(campaign.total);
  if (missing.length > 0) console.log(`never happened: ${missing.join(" ")}`);
  saveCampaign(values.results, campaign);
  return campaign.total.failures.length === 0 ? 0 : 1;
}

const progressOf = ({ total, seeds }: Campaign, before: number, seconds: number): string => {
  const rate = (total.seeds - before) / seconds;
  const left = (seeds - total.seeds) / rate / 60;
  return [
    `${total.seeds} of ${seeds} seeds`,
    `${(total.operations / 1e6).toFixed(2)} M operations`,
    `${(total.faults / 1e6).toFixed(3)} M faults`,
    `${total.failures.length} violations`,
    `${rate.toFixed(1)} seeds/s`,
    `${left.toFixed(0)} minutes left`,
  ].join(", ");
};

/**
 * Simulations create much garbage and throw many errors whose stack is never read. On a busy
 * machine, waiting for helper threads of the garbage collector costs more than they save.
 */
const PLAYER_FLAGS = [
  "--min-semi-space-size=128",
  "--max-semi-space-size=256",
  "--single-threaded-gc",
  "--stack-trace-limit=0",
];

/** Plays a share in one process. Resolves when it is done, and rejects when the process fails. */
const playShare = (share: Share, onReport: (report: ShareReport) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./play-share.ts", import.meta.url)), {
      execArgv: [...process.execArgv, ...PLAYER_FLAGS],
      env: { ...process.env, SHARE: JSON.stringify(share) },
    });
    child.on("message", (report) => onReport(report as ShareReport));
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`A player ended with ${code}`));
    });
  });

const seed = process.env.SEED;
process.exitCode = seed === undefined ? await playRange() : await playOne(seed);
