import { expect, inject, it } from "vitest";
import { faultsOf, pressApart } from "./press-server.ts";

/** This is a short version of `press.ts`, which takes a minute and shows more. */
it("[http.limits] publishes and waiting polls succeed while clients are idle, slow, or gone before the answer", async () => {
  const press = { seconds: 5, idle: 1_500, slow: 60, earlyCloses: 30, patient: 10 };
  const report = await pressApart(inject("dynamoEndpoint"), press);
  console.log(JSON.stringify(report));
  // Shared machines are noisy. If such clients could block the server, it would take seconds.
  expect(faultsOf(report, press, { p99Factor: 5, p99FloorMs: 500 })).toEqual([]);
});
