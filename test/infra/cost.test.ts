import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, inject, it } from "vitest";
import { ALARMS, estimate, estimateIdle, totalOf } from "../../tools/cost/estimate.ts";
import { type Measured, measure } from "../../tools/cost/measure.ts";
import { costPage } from "../../tools/cost/page.ts";
import { SCENARIOS } from "../../tools/cost/scenarios.ts";
import { evaluate } from "./evaluate.ts";
import { root } from "./platform.ts";

const read = (...parts: string[]) => readFileSync(path.join(root, ...parts), "utf8");
const inOneLine = (page: string) => read(page).replaceAll(/\s+/g, " ");
const measured: Measured = JSON.parse(read("tools", "cost", "measured.json"));

describe("what it costs", () => {
  it("docs/cost.md shows the cost (npm run cost -- --write)", () => {
    expect(read("docs", "cost.md")).toBe(costPage(measured));
  });

  it("the cost follows from the measurement (npm run cost -- --measure --write)", async () => {
    const now = await measure(inject("dynamoEndpoint"));
    const then = numbersOf(measured);
    expect(numbersOf(now).map(([name]) => name)).toEqual(then.map(([name]) => name));
    for (const [index, [name, value]] of numbersOf(now).entries()) {
      const before = then[index]?.[1] ?? 0;
      expect(Math.abs(value - before), name).toBeLessThanOrEqual(Math.max(0.25, before * 0.05));
    }
  });

  it("every deployed alarm is counted", async () => {
    const production = await evaluate({ stage: "production" });
    expect(production.all("MetricAlarm")).toHaveLength(ALARMS);
  });

  it("an unused stage costs less than a dollar a month", () => {
    expect(totalOf(estimateIdle(measured))).toBeLessThanOrEqual(1);
  });

  it("README.md and docs/deploy.md state the cost of an unused stage", () => {
    const idle = totalOf(estimateIdle(measured)).toFixed(2);
    expect(inOneLine("README.md")).toContain(`An idle installation costs $${idle} a month`);
    expect(inOneLine("docs/deploy.md")).toContain(`An unused stage costs $${idle} a month`);
  });

  it("the cost stays within its caps at 30 M events a month with a Function URL", () => {
    const growth = SCENARIOS.find(({ name }) => name === "Growth");
    if (!growth) throw new Error("there is no such scenario");
    // These are list prices, before the free tier is deducted.
    const total = (n: 1 | 10) =>
      totalOf(estimate(growth, n, "Function URL", measured, { keyed: false }));
    expect(total(10)).toBeLessThanOrEqual(40);
    expect(total(1)).toBeLessThanOrEqual(90);
  });
});

/**
 * Returns every number of a measurement with its path. A few numbers vary slightly between runs.
 */
function numbersOf(value: object, at = ""): [name: string, value: number][] {
  return Object.entries(value).flatMap(([name, one]): [string, number][] =>
    typeof one === "number" ? [[`${at}${name}`, one]] : numbersOf(one, `${at}${name}.`),
  );
}
