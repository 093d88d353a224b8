import { invalidRequest, LedgerError } from "@eventledger/core";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { requireClearRequest } from "./clear-request.ts";
import type { AppEnv } from "./env.ts";

it("a request with an uncertain meaning goes no further, whatever entry point it came through", async () => {
  const app = new Hono<AppEnv>().use(requireClearRequest).all("*", (c) => c.text("passed"));
  app.onError((error, c) =>
    c.text(error instanceof LedgerError ? (error.errors[0]?.pointer ?? "") : String(error)),
  );
  const ask = async (path: string, door: AppEnv["Bindings"] = {}) =>
    (await app.request(new Request(`http://localhost${path}`), undefined, door)).text();
  expect(await ask("/streams/orders?key=%C3%A9")).toBe("passed");
  expect(await ask("/streams/orders?key=%FF")).toBe("/query");
  expect(await ask("/streams/%FF")).toBe("/path");
  const refusal = invalidRequest("/body", "was changed on its way");
  expect(await ask("/streams/orders", { refusal })).toBe("/body");
});
