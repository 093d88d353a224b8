import { invalidRequest } from "@eventledger/core";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";
import { unclearTarget } from "./request-target.ts";

/**
 * Refuses a request that may mean something other than what arrived: one that its entry point
 * reports as ambiguous, and a URL whose percent-encoding is not UTF-8. Taken literally, `?key=%FF`
 * would mean the key `%FF`.
 */
export const requireClearRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { url } = c.req;
  if (c.env?.refusal !== undefined) throw c.env.refusal;
  const unclear = unclearTarget(url.slice(url.indexOf("/", url.indexOf("//") + 2)));
  if (unclear !== undefined) throw invalidRequest(unclear.pointer, unclear.detail);
  await next();
};
