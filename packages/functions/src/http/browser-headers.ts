import { secureHeaders } from "hono/secure-headers";

/**
 * Tells browsers to show nothing of an answer as a page, in a frame, or over plain HTTP next time.
 */
export const keepBrowsersOut = secureHeaders({
  crossOriginResourcePolicy: false,
  xFrameOptions: "DENY",
});

/**
 * The part of it that matters for an answer that never reaches the app, and shows nothing at all.
 */
export const BROWSER_HEADERS = {
  "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;
