import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { builtConsole } from "../../packages/console/build/built.ts";
import type { World } from "./world.ts";

const EVENTS = 100_000;
/** Places from the top to the end, and how far the list moves there in one frame, in pixels. */
const STEPS = 50;
const FLING = 640;
/** What the page costs of a frame: its program, its styles and its layout. */
const PARTS = ["ScriptDuration", "RecalcStyleDuration", "LayoutDuration"];
const KIB = 1_024;

export function scale(world: World): void {
  it("the first view takes at most 45 KB, and everything at most 90 KB, as gzip", async () => {
    const folder = path.join(await builtConsole(), "assets");
    const sizes = new Map(
      readdirSync(folder).map((name) => [
        name,
        gzipSync(readFileSync(path.join(folder, name))).length,
      ]),
    );
    const { page, close } = await world.open("#/");
    const first: string[] = [];
    page.on("response", (response) => first.push(path.basename(response.url())));
    await page.goto(`${world.url}/console#key=${world.adminKey}`);
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "orders" }).waitFor();
    await close();
    const sum = (names: Iterable<string>) =>
      [...new Set(names)].reduce((total, name) => total + (sizes.get(name) ?? 0), 0);
    const [firstBytes, allBytes] = [sum(first), sum(sizes.keys())];
    console.log(`the console: first view ${firstBytes} bytes, all ${allBytes} bytes`);
    expect(firstBytes).toBeGreaterThan(10 * KIB);
    expect(firstBytes).toBeLessThanOrEqual(45 * KIB);
    expect(allBytes).toBeLessThanOrEqual(90 * KIB);
    expect(first.join()).not.toContain("plot");
  });

  it("100,000 events scroll with a few rows in the page, and little work for each frame", async () => {
    const { page, faults, close } = await world.open("#/", world.adminKey);
    // Publishing that many events would take most of the time of this project.
    await page.route("**/streams/orders/events?*", async (route) => {
      const query = new URL(route.request().url()).searchParams;
      if (query.has("waitSeconds")) return;
      await route.fulfill({ json: pageOf(query.get("from") ?? "", Number(query.get("limit"))) });
    });
    await page.goto(`${world.url}/console#/streams/orders/events`);
    await page.getByRole("row", { name: /key-/ }).first().waitFor();
    await page.evaluate(LOAD_ALL);
    await page.getByText("100,000 events").waitFor();

    const session = await page.context().newCDPSession(page);
    // The time of the processor, so that other programs on this machine do not count.
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const worked = async () => {
      const { metrics } = await session.send("Performance.getMetrics");
      const parts = metrics.filter(({ name }) => PARTS.includes(name));
      expect(parts).toHaveLength(PARTS.length);
      return 1_000 * parts.reduce((total, { value }) => total + value, 0);
    };
    const took: number[] = [];
    for (let step = 1; step <= STEPS; step += 1) {
      await page.evaluate(scroll(`list.scrollHeight * ${(step - 1) / STEPS}`));
      const before = await worked();
      const rows = await page.evaluate(scroll(`list.scrollTop + ${FLING}`));
      took.push((await worked()) - before);
      expect(rows).toBeLessThan(120);
    }
    const p95 = took.toSorted((a, b) => a - b)[Math.floor(STEPS * 0.95)] ?? Number.NaN;
    console.log(`the console: a frame of scrolling works for ${p95.toFixed(1)} ms (p95)`);
    expect(p95).toBeLessThan(16);
    expect(faults).toEqual([]);
    await close();
  });
}

/** A page of a stream with 100,000 events, backwards from a cursor. */
function pageOf(from: string, limit: number) {
  const end = /^\d+$/.test(from) ? Number(from) : EVENTS;
  const count = from === "latest" ? 0 : Math.min(limit, end);
  const events = Array.from({ length: count }, (_, n) => ({
    sequence: end - n,
    publishedAt: new Date(1_790_000_000_000 + (end - n) * 10).toISOString(),
    id: `id-${end - n}`,
    key: `key-${(end - n) % 500}`,
    type: "order.paid",
    data: { total: end - n },
  }));
  return {
    events,
    cursor: String(end - count),
    caughtUp: end - count === 0,
    looked: count,
    life: "a-life",
    nextPollMs: 1_000,
    waitSecondsAdvised: 20,
  };
}

const LOAD_ALL = `(async () => {
  const button = () =>
    [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Go on");
  while (document.querySelector(".log-foot").textContent.includes("all there are") === false) {
    button()?.click();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
})()`;

/** Scrolls the list and waits for the frame. Returns the number of rows that the page then has. */
const scroll = (to: string) => `(async () => {
  const list = document.querySelector("[role=grid]");
  list.scrollTop = ${to};
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return document.querySelectorAll(".log .row").length;
})()`;
