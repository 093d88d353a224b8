/**
 * Bootstraps and follows a subscription, and commits the events that it has applied. Sometimes it
 * begins a new bootstrap once its view is exact. When it is asked to finish, it reads to the end
 * and reports its view. Started again with the same journal, it continues.
 *
 * node bootstrap-churn-subscriber.ts <url> <api key> <stream> <name> <journal> <again?>
 */
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "./bootstrap-churn-http.ts";
import { type Delivered, openView } from "./bootstrap-churn-view.ts";

const [url = "", apiKey = "", stream = "", name = "", journal = "", again = ""] =
  process.argv.slice(2);
const door = { url, apiKey };
const path = `/streams/${stream}/subscriptions`;
const PAUSE_MS = 30;
/** The chance of a new bootstrap after a page that makes the view exact. */
const AGAIN_CHANCE = 0.05;

/** The report about a page. The last report contains the view. */
export type SubscriberNews = {
  readonly phase: "bootstrap" | "log";
  readonly bootstrapsBegun: number;
  readonly disorder: readonly string[];
  readonly live?: Readonly<Record<string, string>>;
};

type Page = {
  readonly events: readonly Delivered[];
  readonly cursor: string;
  readonly phase: "bootstrap" | "log";
  readonly consistent: boolean;
  readonly caughtUp: boolean;
};

let finishing = false;
process.once("message", () => {
  finishing = true;
});
const view = openView(journal);
await send(door, "POST", path, { name, start: "bootstrap" });

for (let bootstrapsBegun = 0; ; ) {
  const mayEnd = finishing;
  const limit = 20 + Math.floor(Math.random() * 100);
  const page = await send<Page>(door, "GET", `${path}/${name}/poll?limit=${limit}`);
  view.apply(page.events);
  const { cursor, phase } = page;
  if (page.events.length > 0 || !page.consistent) {
    await send(door, "POST", `${path}/${name}/commit`, { cursor });
  }
  const exact = page.consistent && page.caughtUp;
  const report: SubscriberNews = { phase, bootstrapsBegun, disorder: view.disorder };
  if (exact && mayEnd) {
    process.send?.({ ...report, live: view.live() }, () => process.disconnect());
    break;
  }
  process.send?.(report);
  if (page.consistent && again === "again" && !finishing && Math.random() < AGAIN_CHANCE) {
    await send(door, "POST", `${path}/${name}/seek`, { to: "bootstrap" });
    view.clear();
    bootstrapsBegun++;
  }
  if (exact) await sleep(PAUSE_MS);
}
