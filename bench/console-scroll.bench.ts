/**
 * Measures what a frame takes while the console's list of 100,000 events scrolls in a browser.
 *
 * node bench/console-scroll.bench.ts
 */
import { loadavg } from "node:os";
import { startStack } from "../packages/local/src/stack.ts";
import { chromiumPath, launch } from "../test/console/browser.ts";
import { MANY, openManyEvents, scrollList, serveManyEvents } from "../test/console/many-events.ts";
import { recordResult } from "./record.ts";

/** How far the list moves in a frame, in pixels. It is as far as the fastest fling of a finger. */
const FLING = 640;
const PLACES = 200;
/** The CPU time of the page itself in a frame: its program, its styles and its layout. */
const PARTS = ["ScriptDuration", "RecalcStyleDuration", "LayoutDuration"];

const executable = chromiumPath();
if (executable === undefined) throw new Error("No Chromium was found. Set CHROMIUM.");
const busy = Number(loadavg()[0]?.toFixed(1));
const stack = await startStack();
const browser = await launch(executable);
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${stack.url}/console#key=${stack.adminKey}`);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await serveManyEvents(page);
  await openManyEvents(page, stack.url);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const worked = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    const parts = metrics.filter(({ name }) => PARTS.includes(name));
    return 1_000 * parts.reduce((total, { value }) => total + value, 0);
  };
  const work: number[] = [];
  for (let place = 0; place < PLACES; place += 1) {
    await scrollList(page, `list.scrollHeight * ${place / PLACES}`);
    const before = await worked();
    await scrollList(page, `list.scrollTop + ${FLING}`);
    work.push((await worked()) - before);
  }
  const frames: number[] = await page.evaluate(`(async () => {
    const list = document.querySelector("[role=grid]");
    list.scrollTop = 0;
    const times = [];
    for (let frame = 0; frame < 600; frame += 1) {
      times.push(await new Promise((resolve) => requestAnimationFrame(resolve)));
      list.scrollTop += ${FLING};
    }
    return times.slice(1).map((time, n) => time - times[n]);
  })()`);
  recordResult("console-scroll", {
    load: busy,
    browser: browser.version(),
    events: MANY,
    workMs: percentiles(work),
    frameMs: percentiles(frames),
  });
} finally {
  await browser.close();
  await stack.stop();
}

function percentiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) =>
    Number((sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(1));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
