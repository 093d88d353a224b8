import { secureHeaders } from "hono/secure-headers";

/**
 * Tells browsers not to render an answer as a page or in a frame, and to use HTTPS from then on.
 */
export const keepBrowsersOut = secureHeaders({
  crossOriginResourcePolicy: false,
  xFrameOptions: "DENY",
});

/** The headers for an answer that the app does not produce and that has nothing to show. */
export const BROWSER_HEADERS = {
  "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;
