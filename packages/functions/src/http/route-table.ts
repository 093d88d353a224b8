import { LedgerError } from "@eventledger/core";
import type { Hono } from "hono";

/**
 * The answer when no handler took a request. It is `405` with the methods that the path has, or
 * `404`. It is also `404` when a handler took the request and had nothing of that name.
 */
export function createRouteTable<E extends object>(app: Hono<E>) {
  const routes = app.routes
    .filter(({ method, path }) => method !== "ALL" && !path.endsWith("*"))
    .map(({ method, path }) => ({ method, pattern: toPattern(path) }));

  return (method: string, path: string): { error: LedgerError; allow?: string } => {
    const methods = new Set(
      routes.filter(({ pattern }) => pattern.test(path)).map((route) => route.method),
    );
    if (methods.size === 0 || methods.has(method === "HEAD" ? "GET" : method)) {
      const detail = "No route has this path. GET /openapi.json lists all of them.";
      return { error: new LedgerError("route-not-found", { detail }) };
    }
    const allow = [...methods].sort().join(", ");
    const detail = `The path does not allow ${method}. It allows ${allow}.`;
    return { error: new LedgerError("method-not-allowed", { detail }), allow };
  };
}

const toPattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:[a-z]+/gi, "[^/]+")}$`);
