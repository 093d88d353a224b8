import { Hono } from "hono";
import { expect, it } from "vitest";
import { createRouteTable } from "./route-table.ts";

const app = new Hono()
  .use("*", async (_, next) => next())
  .all("/", (c) => c.text(""))
  .get("/docs/*", (c) => c.text(""))
  .get("/streams/:stream", (c) => c.text(""))
  .delete("/streams/:stream", (c) => c.text(""));
const explain = createRouteTable(app);

it.each([
  ["POST", "/streams/a", "method-not-allowed", "DELETE, GET"],
  ["HEAD", "/streams/a", "route-not-found", undefined],
  ["GET", "/streams/a/b", "route-not-found", undefined],
  // A route of every method, or of every path below another one, names no resource.
  ["POST", "/", "route-not-found", undefined],
  ["POST", "/docs/", "route-not-found", undefined],
])("[http.method] [http.not-found] %s %s is %s", (method, path, code, allow) => {
  const { error, allow: allowed } = explain(method, path);
  expect([error.code, allowed]).toEqual([code, allow]);
});
