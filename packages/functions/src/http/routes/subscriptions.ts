import {
  CreateSubscription,
  PatchSubscription,
  StatsListQuery,
  StreamParams,
  SubscriptionParams,
} from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";
import {
  assertCoversFilter,
  assertMayFilter,
  assertMaySubscribe,
  withoutSettings,
} from "../within.ts";

/** Routes for subscriptions: create, list, describe, change and delete. */
export const subscriptionRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams/:stream/subscriptions",
      operation({
        id: "createSubscription",
        tag: "subscriptions",
        summary: "Create a subscription",
        description: "Sending the same body again answers 200 with the same subscription.",
        answers: {
          201: {
            description: "The subscription was created.",
            body: "Subscription",
            headers: { Location: "The subscription's URL." },
          },
          200: {
            description: "A subscription with the same settings exists already.",
            body: "Subscription",
          },
        },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-not-found",
          "subscription-exists",
          "invalid-cursor",
          "not-compacted",
          "changes-passed",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      valid("param", StreamParams),
      requireJson,
      valid("json", CreateSubscription),
      async (c) => {
        const { stream } = c.req.valid("param");
        const { caller } = c.var;
        const body = c.req.valid("json");
        assertMaySubscribe(caller, body);
        const url = `/streams/${stream}/subscriptions/${body.name}`;
        const { subscription, created } = await c.var
          .act({ target: url, request: body }, () =>
            ledger.createSubscription(caller.tenant, stream, body),
          )
          .catch((error: unknown) => {
            throw withoutSettings(caller, error);
          });
        if (created) c.header("Location", url);
        return c.json(subscription, created ? 201 : 200);
      },
    )
    .get(
      "/streams/:stream/subscriptions",
      operation({
        id: "listSubscriptions",
        tag: "subscriptions",
        summary: "List a stream's subscriptions by name",
        description:
          "Lists their settings, and with `include=stats` the progress of each. A page may then contain fewer subscriptions than `limit`. Workers, `keysBehind` and `push` are shown only for a single subscription.",
        answers: { 200: { description: "A page of subscriptions.", body: "SubscriptionList" } },
        problems: ["invalid-cursor", "stream-not-found"],
      }),
      valid("param", StreamParams),
      valid("query", StatsListQuery),
      async (c) => {
        const { stream } = c.req.valid("param");
        const { caller } = c.var;
        const { include, ...rest } = c.req.valid("query");
        const page = { ...rest, stats: include === "stats" };
        return c.json(await ledger.listSubscriptions(caller.tenant, stream, page, caller));
      },
    )
    .get(
      "/streams/:stream/subscriptions/:subscription",
      operation({
        id: "getSubscription",
        tag: "subscriptions",
        summary: "Describe a subscription and its lag",
        description:
          "Shows its settings, its lag, the number of its parked keys and the workers that share it.",
        answers: { 200: { description: "The subscription.", body: "SubscriptionInfo" } },
        problems: ["stream-not-found", "subscription-not-found"],
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { caller } = c.var;
        const info = await ledger.getSubscription(caller.tenant, stream, subscription);
        assertCoversFilter(caller, info.filter);
        return c.json(info);
      },
    )
    .patch(
      "/streams/:stream/subscriptions/:subscription",
      operation({
        id: "patchSubscription",
        tag: "subscriptions",
        summary: "Change a subscription's settings",
        description:
          "The position does not move. A new filter applies to the events after it: earlier cursors are refused, as after a seek, and `warnings` say what the consumer has to know.",
        answers: {
          200: { description: "The subscription as it is now.", body: "PatchedSubscription" },
        },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-not-found",
          "subscription-not-found",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      valid("param", SubscriptionParams),
      requireJson,
      valid("json", PatchSubscription),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { caller } = c.var;
        const body = c.req.valid("json");
        if (body.filter !== undefined) assertMayFilter(caller, body.filter);
        const target = `/streams/${stream}/subscriptions/${subscription}`;
        const patched = await c.var.act({ target, request: body }, () =>
          ledger.patchSubscription(caller.tenant, stream, subscription, body),
        );
        return c.json(patched);
      },
    )
    .delete(
      "/streams/:stream/subscriptions/:subscription",
      operation({
        id: "deleteSubscription",
        tag: "subscriptions",
        summary: "Delete a subscription and its position",
        description:
          "Its name is free at once. The stream's events stay. Within a day, sending the request again gives the same answer, unless the name has been created again.",
        answers: { 204: { description: "The subscription is deleted." } },
        problems: ["stream-not-found", "subscription-not-found", "outcome-unknown"],
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { caller } = c.var;
        await c.var.act({ target: `/streams/${stream}/subscriptions/${subscription}` }, () =>
          ledger.deleteSubscription(caller.tenant, stream, subscription, caller),
        );
        return c.body(null, 204);
      },
    );
