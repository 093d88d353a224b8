import {
  DeliveriesQuery,
  PutPush,
  ReplayBody,
  ResendBody,
  SubscriptionParams,
} from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";
import { assertCoversKey } from "../within.ts";

const PATH = "/streams/:stream/subscriptions/:subscription/push";

const targetOf = (of: { readonly stream: string; readonly subscription: string }): string =>
  `/streams/${of.stream}/subscriptions/${of.subscription}/push`;

const MISSING = ["stream-not-found", "subscription-not-found", "push-not-found"] as const;

/** Routes for pushing a subscription's events to an endpoint. */
export const pushRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .put(
      PATH,
      operation({
        id: "putPush",
        tag: "push",
        summary: "Push a subscription's events to an endpoint",
        description:
          "Each event is sent as a POST that is signed by Standard Webhooks. The events of one key are sent one after another. Sending the request again changes the settings and keeps the secret.",
        answers: {
          201: { description: "The push is set up. The secret is shown once.", body: "NewPush" },
          200: { description: "The settings are changed.", body: "Push" },
        },
        problems: [
          "malformed-json",
          "request-too-large",
          "unsupported-media-type",
          "stream-not-found",
          "subscription-not-found",
          "push-unavailable",
          "outcome-unknown",
        ],
      }),
      valid("param", SubscriptionParams),
      requireJson,
      valid("json", PutPush),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { caller } = c.var;
        const body = c.req.valid("json");
        // Only the origin is recorded, because the rest of a URL is often a secret.
        const request = { ...body, url: URL.parse(body.url)?.origin };
        const { push, created } = await c.var.act(
          { target: targetOf(c.req.valid("param")), request },
          () => ledger.putPush(caller.tenant, stream, subscription, body, caller),
        );
        return c.json(push, created ? 201 : 200);
      },
    )
    .get(
      PATH,
      operation({
        id: "getPush",
        tag: "push",
        summary: "Get the state of a push",
        description: "Also shows how many keys wait for their next attempt.",
        answers: { 200: { description: "The push, without its secret.", body: "Push" } },
        problems: MISSING,
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        return c.json(await ledger.getPush(c.var.caller.tenant, stream, subscription));
      },
    )
    .delete(
      PATH,
      operation({
        id: "deletePush",
        tag: "push",
        summary: "End a push",
        description:
          "The subscription and its position stay, and so do parked keys. Ending it again answers 204 as well.",
        answers: { 204: { description: "Nothing more is sent." } },
        problems: ["stream-not-found", "subscription-not-found", "outcome-unknown"],
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        await c.var.act({ target: targetOf(c.req.valid("param")) }, () =>
          ledger.deletePush(c.var.caller.tenant, stream, subscription),
        );
        return c.body(null, 204);
      },
    )
    .post(
      `${PATH}/enable`,
      operation({
        id: "enablePush",
        tag: "push",
        summary: "Push again",
        description: "Continues at the position of the subscription, and tries a failing endpoint.",
        answers: { 200: { description: "The push.", body: "Push" } },
        problems: [...MISSING, "outcome-unknown"],
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const push = await c.var.act({ target: targetOf(c.req.valid("param")) }, () =>
          ledger.switchPush(c.var.caller.tenant, stream, subscription, true),
        );
        return c.json(push);
      },
    )
    .post(
      `${PATH}/disable`,
      operation({
        id: "disablePush",
        tag: "push",
        summary: "Stop pushing",
        description: "The position is held. A delivery that has begun may still arrive.",
        answers: { 200: { description: "The push.", body: "Push" } },
        problems: [...MISSING, "outcome-unknown"],
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const push = await c.var.act({ target: targetOf(c.req.valid("param")) }, () =>
          ledger.switchPush(c.var.caller.tenant, stream, subscription, false),
        );
        return c.json(push);
      },
    )
    .post(
      `${PATH}/test`,
      operation({
        id: "testPush",
        tag: "push",
        summary: "Send a test event",
        description:
          "Sends an event of the type `eventledger.test` that is not in the log, and returns the answer of the endpoint.",
        answers: { 200: { description: "The answer of the endpoint.", body: "PushAttempt" } },
        problems: [...MISSING, "push-unavailable"],
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const attempt = await c.var.act({ target: targetOf(c.req.valid("param")) }, () =>
          ledger.testPush(c.var.caller.tenant, stream, subscription),
        );
        return c.json(attempt);
      },
    )
    .post(
      `${PATH}/rotate`,
      operation({
        id: "rotatePush",
        tag: "push",
        summary: "Make a new secret",
        description:
          "The former secret also signs for another 24 hours, so that receivers can change theirs in the meantime.",
        answers: {
          200: { description: "The push. The secret is shown once.", body: "NewPush" },
        },
        problems: [...MISSING, "push-unavailable", "outcome-unknown"],
      }),
      valid("param", SubscriptionParams),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const push = await c.var.act({ target: targetOf(c.req.valid("param")) }, () =>
          ledger.rotatePushSecret(c.var.caller.tenant, stream, subscription),
        );
        return c.json(push);
      },
    )
    .get(
      `${PATH}/deliveries`,
      operation({
        id: "listPushDeliveries",
        tag: "push",
        summary: "List failed deliveries",
        description: "Lists the failed deliveries of the last 7 days, newest first.",
        answers: { 200: { description: "A page of deliveries.", body: "PushDeliveryList" } },
        problems: [...MISSING, "invalid-cursor"],
      }),
      valid("param", SubscriptionParams),
      valid("query", DeliveriesQuery),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { caller } = c.var;
        const { tenant } = caller;
        const query = c.req.valid("query");
        const page = await ledger.listPushDeliveries(tenant, stream, subscription, query, caller);
        return c.json(page);
      },
    )
    .post(
      `${PATH}/replay`,
      operation({
        id: "replayPush",
        tag: "push",
        summary: "Send everything since a time again",
        description:
          "Moves the position of the subscription there, as a seek does, and starts sending. A disabled push sends once it is enabled.",
        answers: { 200: { description: "The push.", body: "Push" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "unsupported-media-type",
          ...MISSING,
          "outcome-unknown",
        ],
      }),
      valid("param", SubscriptionParams),
      requireJson,
      valid("json", ReplayBody),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const request = c.req.valid("json");
        const push = await c.var.act({ target: targetOf(c.req.valid("param")), request }, () =>
          ledger.replayPush(c.var.caller.tenant, stream, subscription, request),
        );
        return c.json(push);
      },
    )
    .post(
      `${PATH}/resend`,
      operation({
        id: "resendPush",
        tag: "push",
        summary: "Send an event once more",
        description:
          "Sends it now, whatever was sent before, and returns the answer of the endpoint. The position and parked keys stay as they are.",
        answers: { 200: { description: "The answer of the endpoint.", body: "PushAttempt" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "unsupported-media-type",
          ...MISSING,
          "event-not-found",
          "push-unavailable",
        ],
      }),
      valid("param", SubscriptionParams),
      requireJson,
      valid("json", ResendBody),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const body = c.req.valid("json");
        const { caller } = c.var;
        assertCoversKey(caller, body.key, "/key");
        const attempt = await c.var.act(
          { target: targetOf(c.req.valid("param")), request: body },
          () => ledger.resendPush(caller.tenant, stream, subscription, body),
        );
        return c.json(attempt);
      },
    );
