import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { VIEWS } from "./walk.ts";
import type { World } from "./world.ts";

const RUN = `axe.run(document, { resultTypes: ["violations"] })`;

/** The findings of axe-core, each with the places that it names. */
async function findings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(`"axe" in window`))) await page.evaluate(axe.source);
  const results = (await page.evaluate(RUN)) as axe.AxeResults;
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(" ")}: ${failureSummary}`),
  );
}

export function accessible(world: World): void {
  it.each([
    ["light", 1440],
    ["dark", 390],
  ] as const)(
    "axe-core finds nothing in any view: %s, %i pixels wide",
    async (colorScheme, width) => {
      const options = { colorScheme, viewport: { width, height: 844 } };
      const { page, faults, close } = await world.open("#/", world.adminKey, options);
      const found: string[] = [];
      const look = async (view: string) =>
        found.push(...(await findings(page)).map((finding) => `${view}: ${finding}`));
      for (const [hash, text] of VIEWS) {
        await page.goto(`${world.url}/console${hash}`);
        await page.getByText(text).locator("visible=true").first().waitFor();
        await look(hash);
        const isWide = await page.evaluate(
          "document.documentElement.scrollWidth > document.documentElement.clientWidth",
        );
        if (isWide) found.push(`${hash}: the page scrolls sideways`);
      }
      await page.goto(`${world.url}/console#/streams/orders/events`);
      await page.getByRole("button", { name: "Publish an event" }).click();
      await look("publish");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("API key").waitFor();
      await look("sign in");
      expect(found).toEqual([]);
      expect(faults).toEqual([]);
      await close();
    },
  );

  it("the main job needs no mouse: sign in, find, open, publish, retry", async () => {
    const { page, faults, close } = await world.open("#/streams/orders/events");
    const { keyboard } = page;
    const type = async (text: string, ...keys: string[]) => {
      await keyboard.type(text);
      for (const key of keys) await keyboard.press(key);
    };
    const isFocused = (selector: string) =>
      page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`);
    await page.getByLabel("API key").waitFor();
    await type("/");
    await type(world.adminKey, "Enter");
    await page
      .getByRole("row", { name: /order-1003/ })
      .first()
      .waitFor();

    await type("/");
    expect(await isFocused("[data-search]")).toBe(true);
    await type("PX100005", "Enter");
    await page
      .getByRole("row", { name: /order-1005/ })
      .first()
      .waitFor();
    // The list takes the focus, and its rows are chosen with letters or arrows.
    await page.evaluate("document.activeElement.blur()");
    await type("j");
    expect(await isFocused("[role=grid]")).toBe(true);
    await type("jj", "Enter");
    await page.getByRole("region", { name: /^Event / }).waitFor();
    await keyboard.press("Escape");
    await page.getByRole("region", { name: /^Event / }).waitFor({ state: "detached" });

    await type("p");
    await page.locator("dialog[open]").waitFor();
    await type("by-keyboard");
    await keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await page.getByText(/^Published to orders with the sequence \d+\.$/).waitFor();

    await type("?");
    await page.getByText("Next, previous").waitFor();
    await keyboard.press("Escape");
    await page.getByText("Next, previous").waitFor({ state: "detached" });

    await page.goto(`${world.url}/console#/streams`);
    await page.getByRole("link", { name: "orders" }).waitFor();
    await type("jjjj");
    expect(await isFocused("a[data-row]")).toBe(true);
    await keyboard.press("Enter");
    await page.waitForURL(/#\/streams\/orders\/events/);
    expect(faults).toEqual([]);
    await close();
  });
}
