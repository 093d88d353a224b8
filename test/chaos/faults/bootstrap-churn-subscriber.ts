/**
 * Bootstraps and follows a subscription, committing what it has applied; some of the time it begins
 * a new bootstrap once it is exact. Asked to finish, it reads to the end and tells its view.
 * Started again on the same journal, it goes on.
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
/** After a page that makes the view exact. */
const AGAIN_CHANCE = 0.05;

/** The report of a page, and the view with the last one. */
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
