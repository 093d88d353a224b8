import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { matchedRoutes } from "hono/route";
import type { Answered } from "../metrics/request-log.ts";
import { auditCalls } from "./audit.ts";
import { type Authenticate, createGate } from "./auth.ts";
import { askForBody, capBody, discardUnreadBody } from "./body-cap.ts";
import { keepBrowsersOut } from "./browser-headers.ts";
import { requireClearRequest } from "./clear-request.ts";
import type { LoadConsoleFile } from "./console/files.ts";
import { requireKnownEncoding, unpackBody } from "./content-encoding.ts";
import type { AppEnv, AssertReaches, RouteDeps } from "./env.ts";
import { limitRequests } from "./limit.ts";
import { type LogFailure, ofRepeatable, problemCodeOf, toProblemResponse } from "./problem.ts";
import { requestIdOf } from "./request-id.ts";
import { createRouteTable } from "./route-table.ts";
import { archiveRoutes } from "./routes/archive.ts";
import { compactedRoutes } from "./routes/compacted.ts";
import { consoleRoutes } from "./routes/console.ts";
import { consumerRoutes } from "./routes/consumers.ts";
import { erasureRoutes } from "./routes/erasures.ts";
import { eventRoutes } from "./routes/events.ts";
import { exportRoutes } from "./routes/exports.ts";
import { keyRoutes } from "./routes/keys.ts";
import { parkingRoutes } from "./routes/parking.ts";
import { portalRoutes } from "./routes/portal.ts";
import { pushRoutes } from "./routes/push.ts";
import { quotaRoutes } from "./routes/quotas.ts";
import { restoredRoutes } from "./routes/restored.ts";
import { schemaRoutes } from "./routes/schemas.ts";
import { streamRoutes } from "./routes/streams.ts";
import { subscriptionRoutes } from "./routes/subscriptions.ts";
import { type LoadDocsAsset, systemRoutes } from "./routes/system.ts";
import { tenantRoutes } from "./routes/tenants.ts";
import { usageRoutes } from "./routes/usage.ts";
import { whoamiRoutes } from "./routes/whoami.ts";
import { countUse } from "./use.ts";

export type AppDeps = RouteDeps & {
  readonly authenticate: Authenticate;
  readonly loadDocsAsset: LoadDocsAsset;
  readonly loadConsoleFile: LoadConsoleFile;
  readonly logFailure: LogFailure;
  /** The web sites whose pages may call this API. The default is none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** The sites that may embed the portal. The default is none. */
  readonly portalAncestors?: readonly string[] | undefined;
  /**
   * Called for every request once its answer is ready, unless the entry point reports the request
   * itself.
   */
  readonly onAnswered?: (answered: Answered) => void;
  /** Replaces the machine's clock for measuring requests. Only for simulations. */
  readonly monotonicMs?: () => number;
};

/** The whole HTTP API: the same app on Lambda, on a Node server and in `app.request()`. */
export function createApp(deps: AppDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    // Hono runs a middleware for `/*` twice when the request's path is literally `/*`.
    if (c.var.requestId !== undefined) return next();
    const began = performance.now();
    const requestId = requestIdOf(c.req.header("x-request-id"));
    c.set("requestId", requestId);
    await next();
    c.header("X-Request-Id", requestId);
    const report = c.env?.report ?? deps.onAnswered;
    report?.({
      requestId,
      method: c.req.method,
      route: routeOf(c),
      status: c.res.status,
      ms: Math.round(performance.now() - began),
      problem: c.var.problem,
    });
  });
  app.use(discardUnreadBody);
  // This middleware comes before any that may refuse a request, so that refusals carry these
  // headers too.
  app.use(keepBrowsersOut(deps.portalAncestors));
  if (deps.corsOrigins?.length) app.use(allowOrigins(deps.corsOrigins));
  app.use(requireClearRequest);
  app.use(requireKnownEncoding);
  const assertReaches: AssertReaches = async (caller, stream, subscription) => {
    await deps.ledger.assertSameLife(caller, stream);
    if (caller.keyPrefix === undefined || subscription === undefined) return;
    await deps.ledger.assertReaches(caller.tenant, stream, subscription, caller);
  };
  const { authenticate, monotonicMs } = deps;
  app.use(createGate(app, { authenticate, assertReaches, monotonicMs }));
  app.use(auditCalls(deps));
  app.use(countUse(deps));
  app.use(limitRequests(deps));
  app.use(askForBody);
  app.use(unpackBody);
  app.use(capBody);
  app.route("/", systemRoutes(deps));
  app.route("/", consoleRoutes(deps));
  app.route("/", tenantRoutes(deps));
  app.route("/", whoamiRoutes(deps));
  app.route("/", restoredRoutes(deps));
  app.route("/", keyRoutes(deps));
  app.route("/", portalRoutes(deps));
  app.route("/", usageRoutes(deps));
  app.route("/", quotaRoutes(deps));
  app.route("/", streamRoutes(deps));
  app.route("/", schemaRoutes(deps));
  app.route("/", eventRoutes(deps));
  app.route("/", subscriptionRoutes(deps));
  app.route("/", consumerRoutes(deps));
  app.route("/", parkingRoutes(deps));
  app.route("/", pushRoutes(deps));
  app.route("/", archiveRoutes(deps));
  app.route("/", exportRoutes(deps));
  app.route("/", erasureRoutes(deps));
  app.route("/", compactedRoutes(deps));

  const explainMissing = createRouteTable(app);
  app.notFound((c) => {
    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    const page = isRead ? pageFor(c) : undefined;
    if (page !== undefined) return c.redirect(page);
    const { error, allow } = explainMissing(c.req.method, c.req.path);
    c.set("problem", error.code);
    const response = toProblemResponse(error, c.var.requestId, deps.logFailure);
    if (allow !== undefined) response.headers.set("Allow", allow);
    return response;
  });
  app.onError((error, c) => {
    c.set("problem", problemCodeOf(error));
    const failure = c.req.method === "DELETE" ? ofRepeatable(error) : error;
    return toProblemResponse(failure, c.var.requestId, deps.logFailure);
  });
  return app;
}

/** Returns the page that a person looks for. The root leads a browser to the console. */
function pageFor(c: Context): string | undefined {
  if (c.req.path !== "/") return PAGES.get(c.req.path);
  c.header("Vary", "Accept");
  return c.req.header("accept")?.includes("text/html") ? "/console" : "/docs";
}

/** The paths where people look for a page, each with the path that it redirects to. */
const PAGES: ReadonlyMap<string, string> = new Map([
  ["/console/", "/console"],
  ["/portal/", "/portal"],
  ["/docs/", "/docs"],
  ["/docs/problems/", "/docs/problems"],
]);

/** The response headers that a page's script may read, beyond those that browsers always expose. */
const EXPOSED = [
  "X-Request-Id",
  "Location",
  "Retry-After",
  "ETag",
  "Allow",
  "Accept-Post",
  "Accept-Encoding",
  "WWW-Authenticate",
  "RateLimit",
  "RateLimit-Policy",
  // The headers that carry the members of a page in CloudEvents form.
  ...[
    "Cursor",
    "Caught-Up",
    "Phase",
    "Snapshot-End",
    "Consistent",
    "Lag",
    "Next-Poll-Ms",
    "Stale",
    "Committed",
    "Redelivers",
    "Redelivers-Because",
    "Snapshot",
    "Looked",
    "Life",
    "Tier",
    "Counted-To",
    "Wait-Seconds-Advised",
  ].map((member) => `EventLedger-${member}`),
];

/**
 * API keys travel in headers and never in cookies, so a page cannot act with its reader's rights.
 */
const allowOrigins = (origins: readonly string[]) =>
  cors({
    origin: [...origins],
    allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    exposeHeaders: [...EXPOSED],
    maxAge: 600,
  });

/** Returns the pattern of the route that handled a request. Middlewares do not count as routes. */
const routeOf = (c: Context): string =>
  matchedRoutes(c).findLast(({ method }) => method !== "ALL")?.path ?? "none";
