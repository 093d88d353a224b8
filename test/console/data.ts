import { expect, it } from "vitest";
import { HOSTILE } from "./seed.ts";
import type { World } from "./world.ts";

/** Tests that stored data is shown unchanged, and has no effect on the page. */
export function data(world: World): void {
  it("hostile data is shown literally: markup, directions, numbers, long and wide data", async () => {
    const { page, faults, close } = await world.open("#/streams/hostile/events", world.adminKey);
    await page.getByText("percent %2F and #?&=/").waitFor();
    expect(await page.locator("main :is(script, img, b)").count()).toBe(0);
    const texts = await page.locator("[role=row]").allTextContents();
    expect(texts.some((text) => text.includes("<img src=x onerror=alert(1)>"))).toBe(true);
    expect(texts.join()).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b-\u200f]/);

    for (const [index, [key, json]] of HOSTILE.entries()) {
      const of = encodeURIComponent(key);
      await page.goto(`${world.url}/console#/streams/hostile/events?seq=${index + 1}&of=${of}`);
      const panel = page.getByRole("region", { name: `Event ${index + 1}`, exact: true });
      await panel.locator(".json .line").nth(1).waitFor();
      const shown = (await panel.locator(".json").textContent()) ?? "";
      for (const literal of LITERALS[key] ?? []) expect(shown, key).toContain(literal);
      expect(shown.length, "long data is cut until it is asked for").toBeLessThan(6_000);
      if (key !== "long") continue;
      await panel.getByRole("button", { name: /^all 261,122 characters/ }).click();
      expect((await panel.locator(".json").textContent())?.length).toBeGreaterThan(json.length);
      await page.goto(`${world.url}/console#/streams/hostile/key?key=${of}`);
      await page.getByText("1 version").waitFor();
    }
    expect(faults).toEqual([]);
    await close();
  });

  it("the key leaves the address at once, lives in the tab only, and is in no address that is sent", async () => {
    const { page, close } = await world.open("#/");
    const sent: string[] = [];
    page.on("request", (request) => sent.push(request.url()));
    await page.goto(`${world.url}/console#key=${world.adminKey}`);
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    expect(page.url()).toBe(`${world.url}/console#/`);
    expect(sent.join()).not.toContain(world.adminKey);
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate("Object.keys(localStorage).length")).toBe(0);
    const other = await page.context().newPage();
    await other.goto(`${world.url}/console`);
    await other.getByLabel("API key").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    await close();
  });

  it("new events appear by themselves, wait while the list is paused, and a search says how far it looked", async () => {
    const { page, faults, close } = await world.open("#/streams/catalog/events", world.adminKey);
    const { ledger } = world;
    const catalog = ledger.stream("catalog");
    const row = (key: string) => page.getByRole("row", { name: new RegExp(key) });
    await row("article-39").waitFor();
    await catalog.publish({ key: "live-one", data: 1 });
    await row("live-one").waitFor();
    await page.keyboard.press("l");
    await page.getByText("Paused").waitFor();
    await catalog.publish({ key: "live-two", data: 2 });
    await page.waitForTimeout(700);
    expect(await row("live-two").count()).toBe(0);
    await page.keyboard.press("l");
    await row("live-two").waitFor();
    await page.getByLabel("Search in the data").fill('"price":7.5');
    await page.keyboard.press("Enter");
    await page.getByText(/^1 event found, looked at 42, to .*, all there are$/).waitFor();
    await row("article-7").waitFor();
    await page.getByLabel("Search in the data").fill("");
    await catalog.publish({ key: "with-header", data: 3, headers: { source: "shop" } });
    await page.getByLabel("Header").fill("source: shop");
    await page.keyboard.press("Enter");
    await page.getByText(/^1 event found, looked at \d+, to .*, all there are$/).waitFor();
    await row("with-header").waitFor();
    await page.getByLabel("Header").fill("");
    await page.getByLabel("Go to").fill("last 3");
    await page.keyboard.press("Enter");
    await page.getByText("3 events").waitFor();
    await page.getByLabel("Go to").fill("#5");
    await page.getByLabel("Order").selectOption("asc");
    await page.getByLabel("Go to").press("Enter");
    await row("article-4").first().waitFor();
    expect(await page.locator(".log .row").first().textContent()).toMatch(/^5\d\d:/);
    expect(faults).toEqual([]);
    await close();
  });
}

/** The texts that must be visible for each. */
const LITERALS: Readonly<Record<string, readonly string[]>> = {
  "<img src=x onerror=alert(1)>": ["<script>alert(1)</script><img src=x onerror=alert(2)>"],
  "rtl-\u202Egnp.exe": ["\\u202eevil\\u2066 \\u200f", "a\\u200bb"],
  numbers: ["9007199254740993", "1e400", "-0", "1.10"],
  nul: ["\\u0000 and \\u001b[31m", '"__proto__"', '"a": 1', '"a": 2'],
  wide: ['"member-0": 0'],
};
