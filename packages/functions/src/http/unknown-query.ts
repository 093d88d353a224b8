import { invalidRequest } from "@eventledger/core";
import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import { validationOf } from "./validate.ts";

/**
 * Refuses query parameters on a route that takes none. Otherwise a client would believe that an
 * ignored parameter works, or that a `?` in its path is part of a key.
 */
export function assertKnownQuery(c: Context): void {
  const mark = c.req.url.indexOf("?");
  if (mark === -1) return;
  const takesQuery = matchedRoutes(c).some(
    ({ handler }) => validationOf(handler)?.target === "query",
  );
  if (takesQuery) return;
  const [name] = new URLSearchParams(c.req.url.slice(mark)).keys();
  if (name === undefined) return;
  throw invalidRequest(`/query/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, UNKNOWN);
}

const UNKNOWN = "is not known: this request takes no query parameters";
