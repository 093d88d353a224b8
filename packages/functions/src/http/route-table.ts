import { LedgerError } from "@eventledger/core";
import type { Hono } from "hono";

/**
 * Returns a function that explains why a request found no resource. The answer is `405` with the
 * allowed methods when the path has other methods. It is `404` when no route has the path, and when
 * a route exists but has no resource of that name.
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
