import {
  CommitBody,
  CreateSubscription,
  LeaveBody,
  PatchSubscription,
  PollBody,
  PollQuery,
  SeekBody,
  StatsListQuery,
  StreamParams,
  SubscriptionParams,
} from "@eventledger/protocol";
import { Hono } from "hono";
import { compressed } from "../compressed.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { CLOUD_EVENTS_PAGE, pageResponse } from "../page.ts";
import { jsonOrNothing, requireJson, valid } from "../validate.ts";
import {
  assertCoversFilter,
  assertDelivers,
  assertMayFilter,
  assertMaySubscribe,
  withoutSettings,
} from "../within.ts";

/** Routes for subscriptions: create, list, describe, delete, poll, commit and seek. */
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
        const { subscription, created } = await ledger
          .createSubscription(caller.tenant, stream, body)
          .catch((error: unknown) => {
            throw withoutSettings(caller, error);
          });
        const url = `/streams/${stream}/subscriptions/${subscription.name}`;
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
          "Lists their settings, and with `include=stats` the progress of each. A page may then contain fewer subscriptions than `limit`. Workers and `keysBehind` are shown only for a single subscription.",
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
        return c.json(await ledger.patchSubscription(caller.tenant, stream, subscription, body));
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
        await ledger.deleteSubscription(caller.tenant, stream, subscription, caller);
        return c.body(null, 204);
      },
    )
    .get(
      "/streams/:stream/subscriptions/:subscription/poll",
      operation({
        id: "poll",
        tag: "subscriptions",
        summary: "Receive the events after the committed position",
        description:
          "A poll never moves the position, so events that are not committed are delivered again. Commit the page's `cursor` once its events are processed.",
        answers: {
          200: {
            description: "A page of the events that follow the committed offset or `after`.",
            body: "PollPage",
            forms: CLOUD_EVENTS_PAGE,
          },
        },
        problems: [
          "invalid-cursor",
          "stream-not-found",
          "subscription-not-found",
          "too-many-requests",
          "retention-passed",
          "bootstrap-expired",
          "not-compacted",
          "compaction-stalled",
          "stream-busy",
        ],
      }),
      compressed,
      valid("param", SubscriptionParams),
      valid("query", PollQuery),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        // HEAD delivers no events, so it must neither count as a delivery nor renew a worker's
        // lease.
        if (c.req.method === "HEAD") {
          await ledger.getSubscription(c.var.caller.tenant, stream, subscription);
          return c.body(null, 200, JSON_PAGE);
        }
        const { events, ...members } = await ledger.poll(
          c.var.caller.tenant,
          stream,
          subscription,
          c.req.valid("query"),
          c.req.raw.signal,
        );
        assertDelivers(c.var.caller, events);
        return pageResponse(c.req.header("accept"), stream, events, members);
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/poll",
      operation({
        id: "commitAndPoll",
        tag: "subscriptions",
        summary: "Commit, and receive the next events",
        description:
          "Does the same as a commit and a poll, in one request. If the commit is refused, nothing is delivered.",
        answers: {
          200: {
            description: "A page of the events that follow the committed offset or `after`.",
            body: "CommittedPollPage",
            forms: CLOUD_EVENTS_PAGE,
          },
        },
        problems: [
          "malformed-json",
          "request-too-large",
          "invalid-cursor",
          "lease-lost",
          "stream-not-found",
          "subscription-not-found",
          "too-many-requests",
          "retention-passed",
          "bootstrap-expired",
          "not-compacted",
          "compaction-stalled",
          "stream-busy",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      compressed,
      valid("param", SubscriptionParams),
      jsonOrNothing,
      valid("json", PollBody),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { events, ...members } = await ledger.commitAndPoll(
          c.var.caller.tenant,
          stream,
          subscription,
          c.req.valid("json"),
          c.req.raw.signal,
        );
        assertDelivers(c.var.caller, events);
        return pageResponse(c.req.header("accept"), stream, events, members);
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/commit",
      operation({
        id: "commit",
        tag: "subscriptions",
        summary: "Move the position to the cursor of a poll",
        description:
          "The position never moves back. An older cursor changes nothing, and the answer says `stale`.",
        answers: { 200: { description: "The position after the commit.", body: "CommitReceipt" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "invalid-cursor",
          "lease-lost",
          "stream-not-found",
          "subscription-not-found",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      valid("param", SubscriptionParams),
      jsonOrNothing,
      valid("json", CommitBody),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { cursor, sequence } = c.req.valid("json");
        const to = cursor ?? sequence ?? "";
        return c.json(await ledger.commit(c.var.caller.tenant, stream, subscription, to));
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/seek",
      operation({
        id: "seek",
        tag: "subscriptions",
        summary: "Move the position back or forward",
        description: "Cursors from before a seek are refused.",
        answers: { 200: { description: "The position after the seek.", body: "SeekReceipt" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "invalid-cursor",
          "stream-not-found",
          "subscription-not-found",
          "not-compacted",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      valid("param", SubscriptionParams),
      jsonOrNothing,
      valid("json", SeekBody),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const to = c.req.valid("json");
        return c.json(await ledger.seek(c.var.caller.tenant, stream, subscription, to));
      },
    )
    .post(
      "/streams/:stream/subscriptions/:subscription/leave",
      operation({
        id: "leave",
        tag: "subscriptions",
        summary: "End a worker",
        description:
          "The other workers receive its share at once. Without this request they receive it when the lease expires.",
        answers: { 204: { description: "The worker has left, and its share is free." } },
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
      jsonOrNothing,
      valid("json", LeaveBody),
      async (c) => {
        const { stream, subscription } = c.req.valid("param");
        const { consumer } = c.req.valid("json");
        await ledger.leave(c.var.caller.tenant, stream, subscription, consumer);
        return c.body(null, 204);
      },
    );

/** The headers of an answer to HEAD, which has no page. */
const JSON_PAGE = { "Content-Type": "application/json", Vary: "Accept" };
