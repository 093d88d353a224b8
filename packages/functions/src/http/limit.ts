import type { Ledger } from "@eventledger/core";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { declaredRight } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { policyName } from "./limit-headers.ts";

type Limiting = { readonly ledger: Pick<Ledger, "takeQuota"> };
type AppliedLimit = Awaited<ReturnType<Ledger["takeQuota"]>>[number];

/** Holds each request of an API key to the quotas of the key and its tenant. */
export const limitRequests =
  ({ ledger }: Limiting): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const { caller } = c.var;
    if (caller !== undefined) {
      const cost = { requestsPerSecond: 1 };
      const how = { mustKnow: isAdministration(c) };
      addLimitHeaders(c, await ledger.takeQuota(caller, cost, how));
    }
    await next();
  };

/**
 * Returns whether a request is administration. Such a request fails while the limiter cannot be
 * reached.
 */
const isAdministration = (c: Context): boolean =>
  matchedRoutes(c).some(({ handler }) => declaredRight(handler)?.scopes[0] === "admin");

/** Adds the limits that apply to a request to the headers of its answer. */
export function addLimitHeaders(c: Context, applied: readonly AppliedLimit[]): void {
  for (const { of, rate, limit, left } of applied) {
    const name = policyName(of, rate);
    c.header("RateLimit-Policy", `${name};q=${limit};w=1`, { append: true });
    c.header("RateLimit", `${name};r=${left};t=1`, { append: true });
  }
}
