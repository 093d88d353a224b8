/**
 * Publishes its share of the load, each request exactly once, with random pauses between them.
 *
 * node bootstrap-churn-publisher.ts <url> <api key> <stream> <publisher> <updates> <seed>
 */
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "./bootstrap-churn-http.ts";
import { makeBatches } from "./bootstrap-churn-load.ts";

const [url = "", apiKey = "", stream = "", publisher = "", updates = "", seed = ""] =
  process.argv.slice(2);
const PAUSE_MS_MAX = 100;

const batches = makeBatches(Number(publisher), Number(updates), seed);
for (const [index, events] of batches.entries()) {
  const once = `${publisher}-${index}`;
  await send({ url, apiKey }, "POST", `/streams/${stream}/events`, { events }, once);
  await sleep(Math.random() * PAUSE_MS_MAX);
}
process.disconnect();
