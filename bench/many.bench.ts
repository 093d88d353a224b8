/**
 * Measures what many keys cost: how long reading the current state of 100,000 keys takes over HTTP.
 *
 * node bench/many.bench.ts [keys]
 */
import { loadavg } from "node:os";
import { measureBootstraps } from "./many-bootstrap.ts";
import { recordResult } from "./record.ts";

const [KEYS = 100_000] = process.argv.slice(2).map(Number);
const busy = Number(loadavg()[0]?.toFixed(1));
const say = (line: string): void => console.error(`    ${line}`);

const bootstrap = await measureBootstraps(KEYS, say);
recordResult("many", { load: busy, bootstrap });
