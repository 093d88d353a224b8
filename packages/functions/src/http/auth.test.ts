import { type Identity, LedgerError, rootCaller } from "@eventledger/core";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createGate, requireRight } from "./auth.ts";
import type { AppEnv } from "./env.ts";

const KNOWN: Identity = { caller: rootCaller, noted: Promise.resolve() };

/** Opens an app with a gate that accepts every key and records each key that it looks up. */
function openApp() {
  const asked: (string | undefined)[] = [];
  const app = new Hono<AppEnv>();
  app.onError((error, c) =>
    c.text(
      error instanceof LedgerError ? error.code : String(error),
      error instanceof LedgerError ? 400 : 500,
    ),
  );
  app.use(
    createGate(app, {
      authenticate: async (apiKey) => {
        asked.push(apiKey);
        return apiKey === undefined ? undefined : KNOWN;
      },
      assertReaches: async () => {},
    }),
  );
  app.get("/open", requireRight({ scopes: ["public"], bound: "free" }), (c) => c.text("open"));
  app.get("/any", requireRight({ scopes: ["any"], bound: "free" }), (c) => c.text("any"));
  app.get("/undeclared", (c) => c.text("undeclared"));
  const ask = async (path: string, apiKey?: string) => {
    const headers = apiKey === undefined ? {} : { "x-api-key": apiKey };
    return (await app.request(path, { headers })).text();
  };
  return { app, ask, asked };
}

describe("the gate", () => {
  it("[key.rights] no key, not even the admin key, passes a route that declares no right", async () => {
    const { ask } = openApp();
    expect(await ask("/undeclared", "key")).toBe("forbidden");
    expect(await ask("/undeclared")).toBe("unauthorized");
    expect(await ask("/any", "key")).toBe("any");
    expect(await ask("/any")).toBe("unauthorized");
  });

  it("public routes need no key, and paths below the others need one", async () => {
    const { ask, asked } = openApp();
    expect(await ask("/open")).toBe("open");
    expect(await ask("/open/nothing")).toMatch(/404/);
    expect(asked).toEqual([]);
    expect(await ask("/any/nothing")).toBe("unauthorized");
    expect(await ask("/any/nothing", "key")).toMatch(/404/);
  });

  it("a key of more than 256 characters is not looked up", async () => {
    const { ask, asked } = openApp();
    expect(await ask("/any", "k".repeat(256))).toBe("any");
    expect(await ask("/any", "k".repeat(257))).toBe("unauthorized");
    expect(asked).toEqual(["k".repeat(256)]);
  });

  it("a bearer is an Authorization header that begins with Bearer, and precedes X-Api-Key", async () => {
    const { app, asked } = openApp();
    const headers = ["Bearer a", "bearer  b ", "xBearer c", "Basic Bearer d", "Bearer e f"];
    for (const authorization of headers) {
      await app.request("/any", { headers: { authorization, "x-api-key": "other" } });
    }
    expect(asked).toEqual(["a", "b", "other", "other", "other"]);
  });
});
