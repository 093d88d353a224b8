/**
 * `npm run bench` runs the benchmarks one after the other, and writes their results. Run it on a
 * machine that does nothing else.
 *
 * --quick small sizes, in less than 3 minutes; the results go to a temporary folder
 * --only a,b only these
 * --without a,b all except these
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CountedSizes, countAll } from "./parts/counted.ts";
import { type DeliverSizes, measureDelivery } from "./parts/deliver.ts";
import { judgePeers, measurePeers, type PeerSizes } from "./parts/peers.ts";
import { measurePublishing, type PublishSizes } from "./parts/publish.ts";
import { PEERS } from "./peers/peers.ts";
import { recordResult } from "./record.ts";
import { makeFolder } from "./separate-stack.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    without: { type: "string", default: "" },
  },
});
const { quick } = values;

const PUBLISH: PublishSizes = quick
  ? { ...publishing(["memory", "disk"], [1, 100], [1, 16]), until: { requests: 50 }, warmUpMs: 0 }
  : {
      ...publishing(["memory", "disk"], [1, 10, 100], [1, 16, 64]),
      until: { seconds: 1.5 },
      warmUpMs: 300,
    };

const DELIVER: DeliverSizes = quick
  ? { events: 2_000, pages: [100, 1_000], singles: 10, pauseMs: 20, subscribers: [1, 5] }
  : {
      events: 20_000,
      pages: [100, 1_000],
      singles: 50,
      pauseMs: 50,
      subscribers: [1, 5, 10, 25, 50],
    };

const PEER_SIZES: PeerSizes = quick
  ? { peers: PEERS, rounds: 1, until: { requests: 16 }, warmUpMs: 0 }
  : { peers: PEERS, rounds: 3, until: { seconds: 1.5 }, warmUpMs: 300 };

const COUNTED: CountedSizes = quick
  ? {
      growth: [1_000, 10_000],
      bootstraps: [{ keys: 1_000, eventsPerKey: 1 }],
      writers: [1, 4],
      arrivals: [100],
      seconds: 2,
    }
  : {
      growth: [1_000, 10_000, 100_000, 1_000_000],
      bootstraps: [
        { keys: 1_000, eventsPerKey: 1 },
        { keys: 1_000, eventsPerKey: 10 },
        { keys: 1_000, eventsPerKey: 100 },
        { keys: 1_000, eventsPerKey: 1_000 },
        { keys: 10_000, eventsPerKey: 1 },
        { keys: 100_000, eventsPerKey: 1 },
      ],
      writers: [1, 4, 16, 64],
      arrivals: [100, 150],
      seconds: 5,
    };

type Part = { readonly about: string; run(): Promise<object | undefined> };

const say = (line: string): void => console.error(`    ${line}`);

/** A program of this folder that writes its own result. It has no small sizes. */
const program = (about: string, name: string, ...options: string[]): Part => ({
  about,
  run: async () => {
    const file = join(import.meta.dirname, `${name}.bench.ts`);
    const child = spawn(process.execPath, [...options, file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code] = await once(child, "exit");
    if (code !== 0) missed.push(`${name} does not keep what it promises, or failed`);
    return undefined;
  },
});

const PARTS: Readonly<Record<string, Part>> = {
  publish: {
    about: "requests of 1, 10 and 100 events from 1, 16 and 64 producers",
    run: async () => ({ ...PUBLISH, cases: await measurePublishing(PUBLISH, say) }),
  },
  deliver: {
    about: "pages, and the way of an event to 1 to 50 subscribers",
    run: async () => ({ ...DELIVER, ...(await measureDelivery(DELIVER, say)) }),
  },
  peers: {
    about: "the same client and disk for EventLedger and its peers",
    run: async () => {
      const { measured, missing } = await measurePeers(PEER_SIZES, say);
      const verdicts = judgePeers(measured);
      for (const { said, holds } of verdicts) {
        say(said);
        if (!holds) missed.push(said);
      }
      const { rounds, until, warmUpMs } = PEER_SIZES;
      return { rounds, until, warmUpMs, measured, missing, verdicts };
    },
  },
  ...(quick
    ? {}
    : {
        start: program("npm start until the stack is ready", "start"),
        "group-commit": program("64 publishers with and without group commit", "group-commit"),
        contention: program("16 processes that share a partition", "contention"),
        compaction: program("what compaction sustains", "compaction"),
        "router-cpu": program("the CPU time of requests", "router-cpu"),
        burst: program("a publisher while a burst is compacted", "burst"),
        sdk: program("the SDK beside bare HTTP", "sdk"),
        many: program("a bootstrap of 100,000 keys, and 10,000 streams", "many"),
      }),
  counted: {
    about: "requests and capacity units, on the simulated table",
    run: async () => countAll(COUNTED, say),
  },
  ...(quick
    ? {}
    : {
        million: program("a bootstrap of a million keys", "million", "--max-old-space-size=4000"),
      }),
};

const missed: string[] = [];
const chosen = choose(values.only, values.without);
process.env.BENCH_QUIET = "1";
if (quick) process.env.BENCH_RESULTS = makeFolder();
const began = performance.now();
console.error(`The load of the machine is ${loadavg()[0]?.toFixed(1)}.`);
for (const [index, name] of chosen.entries()) {
  const part = PARTS[name];
  if (part === undefined) continue;
  console.error(`${index + 1}/${chosen.length} ${name}: ${part.about}`);
  const from = performance.now();
  const figures = await part.run();
  if (figures !== undefined) recordResult(name, figures);
  say(`took ${secondsSince(from)} s`);
}
console.error(`${chosen.length} benchmarks took ${secondsSince(began)} s.`);
if (quick)
  console.error(`The results are in ${process.env.BENCH_RESULTS}. They are no measurement.`);
else {
  for (const line of missed) console.error(`NOT SHOWN  ${line}`);
  if (missed.length > 0) process.exitCode = 1;
  console.error("Write docs/performance.md: npm run performance -- --write");
}

function choose(only: string, without: string): string[] {
  const listed = (text: string) => text.split(",").filter((name) => name !== "");
  const unknown = [...listed(only), ...listed(without)].filter((name) => PARTS[name] === undefined);
  if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(", ")}: ${Object.keys(PARTS).join(", ")}`);
    process.exit(2);
  }
  return Object.keys(PARTS)
    .filter((name) => only === "" || listed(only).includes(name))
    .filter((name) => !listed(without).includes(name));
}

function publishing(
  places: PublishSizes["places"],
  batches: PublishSizes["batches"],
  producers: PublishSizes["producers"],
) {
  return { places, batches, producers };
}

function secondsSince(from: number): number {
  return Math.round((performance.now() - from) / 1_000);
}
