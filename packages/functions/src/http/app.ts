import { LedgerError } from "@eventledger/core";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import openApi from "../../openapi.json" with { type: "json" };
import { type Authenticate, requireCaller } from "./auth.ts";
import type { AppEnv, RouteDeps } from "./env.ts";
import { type LogFailure, toProblemResponse } from "./problem.ts";
import { requestIdOf } from "./request-id.ts";
import { createRouteTable } from "./route-table.ts";
import { eventRoutes } from "./routes/events.ts";
import { streamRoutes } from "./routes/streams.ts";
import { subscriptionRoutes } from "./routes/subscriptions.ts";
import { type LoadDocsAsset, systemRoutes } from "./routes/system.ts";

export type AppDeps = RouteDeps & {
  readonly authenticate: Authenticate;
  readonly loadDocsAsset: LoadDocsAsset;
  readonly logFailure: LogFailure;
};

/** The whole HTTP API: the same app on Lambda, on a Node server and in `app.request()`. */
export function createApp(deps: AppDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const requestId = requestIdOf(c.req.header("x-request-id"));
    c.set("requestId", requestId);
    await next();
    c.header("X-Request-Id", requestId);
  });
  app.use(async (c, next) => {
    const encoding = c.req.header("content-encoding") ?? "identity";
    if (encoding.toLowerCase() !== "identity") throw encodingRefused(encoding);
    await next();
  });
  app.use(secureHeaders({ crossOriginResourcePolicy: false, xFrameOptions: "DENY" }));
  app.route("/", systemRoutes({ ...deps, openApi }));
  app.use("/streams/*", async (c, next) => {
    c.set("caller", await requireCaller(c, deps.authenticate));
    await next();
  });
  app.route("/", streamRoutes(deps));
  app.route("/", eventRoutes(deps));
  app.route("/", subscriptionRoutes(deps));

  const explainMissing = createRouteTable(app);
  app.notFound((c) => {
    const { error, allow } = explainMissing(c.req.method, c.req.path);
    const response = toProblemResponse(error, c.var.requestId, deps.logFailure);
    if (allow !== undefined) response.headers.set("Allow", allow);
    return response;
  });
  app.onError((error, c) => toProblemResponse(error, c.var.requestId, deps.logFailure));
  return app;
}

/** Nothing is unpacked here, so nothing can blow up. */
const encodingRefused = (encoding: string): LedgerError =>
  new LedgerError("unsupported-media-type", {
    detail: `Bodies are taken as they are, without Content-Encoding; this one is ${encoding.slice(0, 40)}.`,
  });
