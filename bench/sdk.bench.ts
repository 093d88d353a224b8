/**
 * Measures the costs and the gains of the SDK: a publisher with 64 callers, and a view over 100,000
 * keys, next to bare `fetch` in the same process and run.
 *
 * node bench/sdk.bench.ts [seconds] [keys]
 */
import { loadavg } from "node:os";
import { startStack } from "../packages/local/src/stack.ts";
import { recordResult } from "./record.ts";
import { runChild } from "./run-child.ts";
import type { SdkLoad } from "./sdk-load.ts";

const CALLERS = 64;
const [SECONDS = 8, KEYS = 100_000] = process.argv.slice(2).map(Number);
const busy = Number(loadavg()[0]?.toFixed(1));

const stack = await startStack();
const parameters = [CALLERS, SECONDS, KEYS].map(String);
const child = runChild<SdkLoad>("sdk-load.ts", stack.url, stack.adminKey, ...parameters);
await child.ready;
child.start();
const load = await child.result;
await stack.stop();
recordResult("sdk", {
  load: busy,
  callers: CALLERS,
  seconds: SECONDS,
  keys: KEYS,
  ...load,
  publisherToBareSingle: Number((load.publisher.perSecond / load.bareSingle.perSecond).toFixed(1)),
  viewToBareList: Number((load.view.perSecond / load.bareList.perSecond).toFixed(2)),
});
