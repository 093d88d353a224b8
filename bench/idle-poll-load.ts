/**
 * Keeps the given number of long polls open at once, each on its own subscription. It sends a new
 * one whenever one is answered, and reports how many were answered.
 *
 * node idle-poll-load.ts <url> <api key> <stream> <polls> <seconds>
 */
import { Agent, get } from "node:http";
import { waitForStart } from "./run-child.ts";

export type IdleLoad = { readonly answered: number; readonly failed: number };

const [url = "", apiKey = "", stream = "", polls = "", seconds = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(polls) });
const SPREAD_MS = 20_000;
const load = { answered: 0, failed: 0 };

await waitForStart();
const stopAt = performance.now() + Number(seconds) * 1_000;
// Real clients are independent, so the polls start at different moments.
for (let n = 0; n < Number(polls); n++) {
  setTimeout(() => hold(n), (n * SPREAD_MS) / Number(polls));
}
setTimeout(() => {
  console.log(JSON.stringify(load));
  process.exit(0);
}, Number(seconds) * 1_000);

function hold(n: number): void {
  if (performance.now() >= stopAt) return;
  const path = `${url}/streams/${stream}/subscriptions/s${n}/poll?waitSeconds=20`;
  const request = get(
    path,
    { agent, headers: { authorization: `Bearer ${apiKey}` } },
    (response) => {
      if (response.statusCode === 200) load.answered++;
      else load.failed++;
      response.resume().once("end", () => hold(n));
    },
  );
  request.once("error", () => {
    load.failed++;
  });
}
