import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { openWorld } from "./world.ts";

const run = promisify(execFile);

/** Tests the console of an empty ledger, on its own table. */
export function firstUse(): void {
  const world = openWorld({ isSeeded: false });

  it("an empty ledger shows commands that work as they are, and opens the first event", async () => {
    const { page, faults, close } = await world.open("#/", world.adminKey);
    const commands = (await page.locator("pre.code").textContent()) ?? "";
    expect(commands).toContain(world.adminKey);
    await run("bash", ["-euc", commands]);
    await page.waitForURL(/#\/streams\/orders\/events$/);
    await page.getByRole("row", { name: /order-1.*order\.placed.*"total":42/ }).waitFor();
    await page.getByText("The first event is in orders.").waitFor();
    expect(faults).toEqual([]);
    await close();
  });
}
