/**
 * Measures what much of everything costs: how long reading the current state of 100,000 keys takes
 * over HTTP, and how many requests 10,000 streams, 1,000 subscriptions and 64 partitions take.
 *
 * node bench/many.bench.ts [keys] [streams]
 */
import { loadavg } from "node:os";
import { measureBootstraps } from "./many-bootstrap.ts";
import { countMany } from "./many-counted.ts";
import { recordResult } from "./record.ts";

const [KEYS = 100_000, STREAMS = 10_000] = process.argv.slice(2).map(Number);
/** The promised limit for 100,000 keys in 8 parts, on an idle machine with two cores. */
const SECONDS_MAX = 5;
const busy = Number(loadavg()[0]?.toFixed(1));
const say = (line: string): void => console.error(`    ${line}`);

const bootstrap = await measureBootstraps(KEYS, say);
const counted = await countMany(STREAMS, say);
const met = bootstrap.listIn8Parts.seconds <= SECONDS_MAX;
recordResult("many", { met, secondsMax: SECONDS_MAX, load: busy, bootstrap, counted });
process.exitCode = met || KEYS > 100_000 ? 0 : 1;
