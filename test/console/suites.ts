import { describe } from "vitest";
import { chromiumPath } from "./browser.ts";
import { openWorld, type World } from "./world.ts";

const isThere = chromiumPath() !== undefined;
if (!isThere) {
  console.warn(
    "The console is not tested: no Chromium was found. Install Debian's `chromium`, or set CHROMIUM.",
  );
}

/** Groups tests that need a browser. Without one they do not run. */
export const describeInBrowser = describe.runIf(isThere);

/** Runs suites one after another, on one stack with data and in one browser. */
export function runTogether(suites: readonly ((world: World) => void)[]): void {
  describeInBrowser("the console", () => {
    const world = openWorld();
    for (const suite of suites) describe(suite.name, () => suite(world));
  });
}
