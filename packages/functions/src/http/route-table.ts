import { LedgerError } from "@eventledger/core";
import type { Hono } from "hono";

/**
 * What to say when no handler took a request: `405` with the methods that the path has, or `404`,
 * also when a handler took it and had nothing of that name.
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
