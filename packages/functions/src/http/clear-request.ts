import { invalidRequest } from "@eventledger/core";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";
import { unclearTarget } from "./request-target.ts";

/**
 * Refuses a request whose meaning is not certain. The entry point may report it as ambiguous, or
 * its URL may contain percent-encoding that is not UTF-8: a lenient decoder would turn `?key=%FF`
 * into another key.
 */
export const requireClearRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { url } = c.req;
  if (c.env?.refusal !== undefined) throw c.env.refusal;
  const unclear = unclearTarget(url.slice(url.indexOf("/", url.indexOf("//") + 2)));
  if (unclear !== undefined) throw invalidRequest(unclear.pointer, unclear.detail);
  await next();
};
