import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { builtConsole } from "../../packages/console/build/built.ts";
import { openManyEvents, scrollList, serveManyEvents } from "./many-events.ts";
import type { World } from "./world.ts";

/** The number of positions between the top and the end. */
const STEPS = 20;
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
    // The portal has a limit of its own, and shares the other files.
    const own = [...sizes.keys()].filter((name) => !name.startsWith("portal-"));
    const [firstBytes, allBytes] = [sum(first), sum(own)];
    console.log(`the console: first view ${firstBytes} bytes, all ${allBytes} bytes`);
    expect(firstBytes).toBeGreaterThan(10 * KIB);
    expect(firstBytes).toBeLessThanOrEqual(45 * KIB);
    expect(allBytes).toBeLessThanOrEqual(90 * KIB);
    expect(first.join()).not.toContain("plot");
  });

  it("100,000 events scroll with a few rows in the page", async () => {
    const { page, faults, close } = await world.open("#/", world.adminKey);
    await serveManyEvents(page);
    await openManyEvents(page, world.url);
    const first = await page.evaluate("document.querySelectorAll('*').length");
    for (let step = 0; step <= STEPS; step += 1) {
      const rows = await scrollList(page, `list.scrollHeight * ${step / STEPS}`);
      expect(rows).toBeGreaterThan(20);
      expect(rows).toBeLessThan(120);
    }
    await page.getByRole("row", { name: /key-1 / }).waitFor();
    const last = await page.evaluate("document.querySelectorAll('*').length");
    expect(last).toBeLessThan(Number(first) + 100);
    expect(faults).toEqual([]);
    await close();
  });

  it("300 streams are asked for their lag in turns, and the list says of how many it is known", async () => {
    const { page, faults, close } = await world.open("#/keys", world.adminKey);
    const asked: string[] = [];
    await page.route("**/streams?*", (route) => route.fulfill({ json: STREAMS }));
    await page.route("**/streams/s-*", (route) => {
      asked.push(route.request().url().split("/").at(-1) ?? "");
      const lag = { events: asked.length, seconds: 1 };
      return route.fulfill({ json: { subscriptions: [{ name: "reader", lag }] } });
    });
    await page.goto(`${world.url}/console#/streams`);
    await page.getByText("The first 200 of 300 streams are shown.").waitFor();
    await page.getByText("The worst lag of 30 of 200 streams is known.").waitFor();
    expect(new Set(asked).size).toBe(30);
    expect(asked).toHaveLength(30);
    expect(await page.getByRole("row").count()).toBe(201);
    await page.getByLabel("Find streams").fill("s-299");
    await page.getByRole("link", { name: "s-299" }).waitFor();
    await expect.poll(() => asked.at(-1)).toBe("s-299");
    expect(faults).toEqual([]);
    await close();
  });
}

const STREAMS = {
  streams: Array.from({ length: 300 }, (_, n) => ({
    name: `s-${n}`,
    description: "",
    partitions: 1,
    compaction: "key",
    retentionHours: 360,
    createdAt: "2026-01-01T00:00:00.000Z",
    life: "a-life",
    eventCount: n,
    bytes: n,
    firstEventAt: null,
    lastEventAt: null,
    watermarkLag: { events: 0, seconds: 0 },
    subscriptionCount: 1,
  })),
  cursor: null,
};
