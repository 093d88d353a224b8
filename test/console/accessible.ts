import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { DIALOGS, VIEWS } from "./views.ts";
import type { World } from "./world.ts";

/** The rules that depend on colours. The other rules find the same in light and in dark mode. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/**
 * The same page is examined in each of these looks, without a reload. Each width gets all rules
 * once.
 */
export const LOOKS = [
  { colorScheme: "light", width: 1440, rules: undefined },
  { colorScheme: "dark", width: 1440, rules: OF_COLOURS },
  { colorScheme: "dark", width: 390, rules: undefined },
  { colorScheme: "light", width: 390, rules: OF_COLOURS },
] as const;

/**
 * Returns the findings of axe-core, each with the places that it names. An open dialog is examined
 * alone: the view under it cannot be used, and is examined by itself.
 */
export async function findings(
  page: Page,
  rules: readonly string[] | undefined,
): Promise<string[]> {
  if (!(await page.evaluate(`"axe" in window`))) await page.evaluate(axe.source);
  const runOnly = rules && { type: "rule", values: rules };
  const how = JSON.stringify({ resultTypes: ["violations"], runOnly });
  const where = `document.querySelector("dialog[open]") ?? document`;
  const results = (await page.evaluate(`axe.run(${where}, ${how})`)) as axe.AxeResults;
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(" ")}: ${failureSummary}`),
  );
}

/**
 * Returns whether the page scrolls sideways, also once it has been laid out again. A plot follows
 * the width of the window a moment later.
 */
export const scrollsSideways = (page: Page): Promise<boolean> =>
  page
    .waitForFunction(
      "document.documentElement.scrollWidth <= document.documentElement.clientWidth",
      undefined,
      { timeout: 10_000 },
    )
    .then(
      () => false,
      () => true,
    );

export function accessible(world: World): void {
  const title = "axe-core finds nothing in any view or dialog, light or dark, on a desk or a phone";
  it(title, { timeout: 240_000 }, async () => {
    const { page, faults, close } = await world.open("#/", world.adminKey);
    const found: string[] = [];
    let looks = 0;
    const look = async (what: string) => {
      for (const { colorScheme, width, rules } of LOOKS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 844 });
        const where = `${what}, ${colorScheme}, ${width} pixels`;
        found.push(...(await findings(page, rules)).map((finding) => `${where}: ${finding}`));
        if (await scrollsSideways(page)) found.push(`${where}: the page scrolls sideways`);
        looks += 1;
      }
      await page.setViewportSize({ width: 1440, height: 844 });
    };
    const see = (text: string) => page.getByText(text).locator("visible=true").first().waitFor();
    for (const [hash, text] of VIEWS) {
      await page.goto(`${world.url}/console${hash}`);
      await see(text);
      await look(hash);
    }
    for (const [name, hash, text, open] of DIALOGS) {
      await page.goto(`${world.url}/console${hash}`);
      await see(text);
      await open(page);
      await page.locator("dialog[open]").waitFor();
      await look(`the dialog ${name}`);
      await page.keyboard.press("Escape");
      await page.locator("dialog[open]").waitFor({ state: "detached" });
    }
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    await look("sign in");
    await page.getByLabel("API key").fill("elk_wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The server does not know this key").waitFor();
    await look("a refused key");
    expect(found).toEqual([]);
    expect(looks).toBe(LOOKS.length * (VIEWS.length + DIALOGS.length + 2));
    expect(faults.filter((fault) => !fault.includes("401"))).toEqual([]);
    await close();
  });
}
