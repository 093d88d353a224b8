import { expect, inject, it } from "vitest";
import { pressApart } from "./press-server.ts";

/** A share of `press.ts`, which takes a minute and says more. */
it("[http.limits] keeps publishing while clients are idle, slow, or gone before the answer", async () => {
  const press = { seconds: 5, idle: 1_500, slow: 60, earlyCloses: 30 };
  const report = await pressApart(inject("dynamoEndpoint"), press);
  console.log(JSON.stringify(report));
  expect(report.failed).toBe(0);
  expect(report.published).toBeGreaterThan(20);
  expect(report.closedByServer).toBeGreaterThan(press.idle - 1_024);
  // Shared machines are noisy: a server that such clients can hold up takes seconds.
  expect(report.pressedP99Ms).toBeLessThan(Math.max(500, 5 * report.quietP99Ms));
  expect(report.usedAfterMb).toBeLessThan(report.usedBeforeMb + 25);
});
