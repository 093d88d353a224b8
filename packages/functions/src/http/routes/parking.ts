import {
  ListQuery,
  ParkBody,
  ParkedParams,
  ReleaseQuery,
  SkipKeyQuery,
  SkipQuery,
  SubscriptionParams,
} from "@eventledger/protocol";
import { type Context, Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { jsonOrNothing, valid } from "../validate.ts";
import { assertCoversKey } from "../within.ts";

/** Routes for parked keys: park, list, retry and skip. */
export const parkingRoutes = ({ ledger }: RouteDeps) => {
  type Of = { readonly stream: string; readonly subscription: string };
  type Released = { readonly key: string; readonly sequence?: number | undefined };
  const release = (c: Context<AppEnv>, of: Of, how: "retry" | "skip", request: Released) =>
    c.var.act({ target: targetOf(of), request }, () =>
      ledger.release(c.var.caller.tenant, of.stream, of.subscription, { ...request, how }),
    );

  return new Hono<AppEnv>()
    .post(
      "/streams/:stream/subscriptions/:subscription/park",
      operation({
        id: "park",
        tag: "parking",
        summary: "Park the key of an event, from that event on",
        description:
          "The event and all later ones of its key wait, in their order. Other keys are not affected. Sending the request again changes nothing.",
        answers: { 200: { description: "The key is parked.", body: "ParkedKey" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-not-found",
          "subscription-not-found",
          "not-parkable",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      valid("param", SubscriptionParams),
      jsonOrNothing,
      valid("json", ParkBody),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { caller } = c.var;
        const body = c.req.valid("json");
        if (body.key !== undefined) assertCoversKey(caller, body.key, "/key");
        const parked = await c.var.act(
          { target: targetOf(c.req.valid("param")), request: body },
          () => ledger.park(caller.tenant, stream, subscription, body),
        );
        return c.json(parked);
      },
    )
    .get(
      "/streams/:stream/subscriptions/:subscription/parked",
      operation({
        id: "listParked",
        tag: "parking",
        summary: "List parked keys",
        description:
          "Lists the keys in order, each with the event that failed and the reason that was given.",
        answers: { 200: { description: "A page of parked keys.", body: "ParkedList" } },
        problems: ["invalid-cursor", "stream-not-found", "subscription-not-found"],
      }),
      valid("param", SubscriptionParams),
      valid("query", ListQuery),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { tenant, keyPrefix } = c.var.caller;
        const request = { ...c.req.valid("query"), keyPrefix };
        return c.json(await ledger.listParked(tenant, stream, subscription, request));
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/parked/:key/retry",
      operation({ id: "retryParked", ...RETRY }),
      valid("param", ParkedParams),
      async (c) => {
        const { key, ...of } = c.req.valid("param");
        assertCoversKey(c.var.caller, key, "/path/key");
        return c.json(await release(c, of, "retry", { key }));
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/parked/retry",
      operation({ id: "retryParkedKey", ...RETRY, description: `${RETRY.description} ${ANY_KEY}` }),
      valid("param", SubscriptionParams),
      valid("query", ReleaseQuery),
      async (c) => {
        const { key } = c.req.valid("query");
        assertCoversKey(c.var.caller, key, "/query/key");
        return c.json(await release(c, c.req.valid("param"), "retry", { key }));
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/parked/:key/skip",
      operation({ id: "skipParked", ...SKIP }),
      valid("param", ParkedParams),
      valid("query", SkipQuery),
      async (c) => {
        const { key, ...of } = c.req.valid("param");
        const { sequence } = c.req.valid("query");
        assertCoversKey(c.var.caller, key, "/path/key");
        return c.json(await release(c, of, "skip", { key, sequence }));
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/parked/skip",
      operation({ id: "skipParkedKey", ...SKIP, description: `${SKIP.description} ${ANY_KEY}` }),
      valid("param", SubscriptionParams),
      valid("query", SkipKeyQuery),
      async (c) => {
        const { key, sequence } = c.req.valid("query");
        assertCoversKey(c.var.caller, key, "/query/key");
        return c.json(await release(c, c.req.valid("param"), "skip", { key, sequence }));
      },
    );
};

const targetOf = (of: { readonly stream: string; readonly subscription: string }): string =>
  `/streams/${of.stream}/subscriptions/${of.subscription}`;

const ANY_KEY = "Accepts any key, including one that cannot be part of a path.";

const RELEASE_PROBLEMS = [
  "stream-not-found",
  "subscription-not-found",
  "parked-key-not-found",
  "not-parkable",
  "retention-passed",
  "outcome-unknown",
] as const;

const RELEASE = {
  tag: "parking",
  answers: {
    200: { description: "The state of the key after the release.", body: "ReleaseReceipt" },
  },
  problems: RELEASE_PROBLEMS,
} as const;

const RETRY = {
  ...RELEASE,
  summary: "Deliver the waiting events of a parked key and release it",
  description:
    "Polls deliver the waiting events in order, before any later event of the key. Once they are committed, the key is no longer parked.",
} as const;

const SKIP = {
  ...RELEASE,
  summary: "Skip the failed event of a parked key, and deliver the rest",
  description:
    "The event stays in the log, but this subscription no longer receives it. With its `sequence`, sending the request again skips no other event.",
} as const;
