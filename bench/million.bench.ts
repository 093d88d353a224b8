/**
 * Counts the read units of a bootstrap of a million keys, on the simulated table. It takes about
 * six minutes and 4 GB of memory.
 *
 * node --max-old-space-size=4000 bench/million.bench.ts [keys]
 */
import { countBootstrap } from "./parts/counted.ts";
import { recordResult } from "./record.ts";

const [keys = 1_000_000] = process.argv.slice(2).map(Number);
const bootstrap = await countBootstrap({ keys, eventsPerKey: 1 }, () => {});
recordResult("million", bootstrap);
