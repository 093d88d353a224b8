import type { Caller } from "@eventledger/core";
import { API_VERSION, LIMITS, type Whoami } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";

/** The route that reports a client's own key and the settings of the service. */
export const whoamiRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>().get(
    "/whoami",
    operation({
      id: "whoami",
      tag: "keys",
      summary: "Show what the API key may do, and the limits of this service",
      description:
        "A client can ask at its start what it may do, how large its requests may be, and how long to wait.",
      answers: {
        200: {
          description: "The rights and bounds of the caller's key, and the limits of the service.",
          body: "Whoami",
        },
      },
    }),
    (c) => {
      c.header("Cache-Control", "no-store");
      return c.json({
        ...describeCaller(c.var.caller),
        waitSecondsAdvised: ledger.waitSecondsAdvised(),
        streaming: c.env?.streamsForMs !== undefined,
      });
    },
  );

function describeCaller(caller: Caller): Omit<Whoami, "waitSecondsAdvised" | "streaming"> {
  const { tenant, keyId, scopes, streams, subscriptions, keyPrefix, validUntil, portal } = caller;
  return {
    tenant,
    keyId,
    scopes: [...scopes],
    streams: [...streams],
    ...(subscriptions === undefined ? {} : { subscriptions: [...subscriptions] }),
    ...(keyPrefix === undefined ? {} : { keyPrefix }),
    ...(portal === undefined ? {} : { portalScopes: [...portal.scopes] }),
    ...(Number.isFinite(validUntil) ? { expiresAt: new Date(validUntil).toISOString() } : {}),
    version: API_VERSION,
    limits: CALLER_LIMITS,
  };
}

const { eventBytesMax, requestBytesMax, requestEventsMax, keyBytesMax } = LIMITS;
const { pageBytesMax, pageEventsMax, listMax, idempotencyWindowHours } = LIMITS;
const CALLER_LIMITS = {
  eventBytesMax,
  requestBytesMax,
  requestEventsMax,
  keyBytesMax,
  pageBytesMax,
  pageEventsMax,
  listMax,
  idempotencyWindowHours,
};
