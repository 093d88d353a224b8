import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "./env.ts";

/**
 * Tells browsers not to render an answer as a page or in a frame, and to use HTTPS from then on. If
 * any site may embed the portal, the policy of that page says which.
 */
export function keepBrowsersOut(
  portalAncestors: readonly string[] = [],
): MiddlewareHandler<AppEnv> {
  const all = secureHeaders({ ...COMMON, xFrameOptions: "DENY" });
  const framed = secureHeaders({ ...COMMON, xFrameOptions: false });
  return (c, next) =>
    portalAncestors.length > 0 && c.req.path === PORTAL ? framed(c, next) : all(c, next);
}

/** The path of the portal. */
export const PORTAL = "/portal";

const COMMON = { crossOriginResourcePolicy: false } as const;

/** The headers for an answer that the app does not produce and that has nothing to show. */
export const BROWSER_HEADERS = {
  "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;
