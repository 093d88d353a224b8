import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { performancePage } from "../../tools/performance/page.ts";
import { loadResults } from "../../tools/performance/results.ts";

it("docs/performance.md shows the results (npm run performance -- --write)", () => {
  const page = new URL("../../docs/performance.md", import.meta.url);
  expect(readFileSync(page, "utf8")).toBe(performancePage(loadResults()));
});
