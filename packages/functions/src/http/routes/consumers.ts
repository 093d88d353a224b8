import {
  CommitBody,
  LeaveBody,
  PollBody,
  PollQuery,
  SeekBody,
  SubscriptionParams,
} from "@eventledger/protocol";
import { Hono } from "hono";
import { compressed } from "../compressed.ts";
import type { AppEnv } from "../env.ts";
import {
  EVENT_STREAM_FORM,
  eventStream,
  isFollowing,
  lastEventId,
  type StreamingDeps,
} from "../event-stream/answer.ts";
import { operation } from "../operation.ts";
import { CLOUD_EVENTS_PAGE, pageResponse } from "../page.ts";
import { noteDelivered } from "../use.ts";
import { jsonOrNothing, valid } from "../validate.ts";
import { assertDelivers } from "../within.ts";

/** Routes for the consumers of a subscription: poll, commit, seek and leave. */
export const consumerRoutes = ({ ledger, logFailure }: StreamingDeps) =>
  new Hono<AppEnv>()
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
            forms: { ...CLOUD_EVENTS_PAGE, ...EVENT_STREAM_FORM },
          },
        },
        headers: "FollowHeaders",
        asked: ["Last-Event-ID"],
        problems: [
          "invalid-cursor",
          "stream-not-found",
          "subscription-not-found",
          "streaming-unavailable",
          "too-many-requests",
          "retention-passed",
          "bootstrap-expired",
          "changes-passed",
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
        const { caller } = c.var;
        const query = c.req.valid("query");
        const poll = async (of: Partial<typeof query & { held: boolean }>, signal: AbortSignal) => {
          const request = { ...query, ...of, signal };
          const page = await ledger.poll(caller.tenant, stream, subscription, request);
          assertDelivers(caller, page.events);
          noteDelivered(c, { ledger }, stream, page.events);
          return page;
        };
        if (isFollowing(c, ["waitSeconds"])) {
          const first = await poll({ after: lastEventId(c) ?? query.after }, c.req.raw.signal);
          const readAfter = (after: string, waitSeconds: number, signal: AbortSignal) =>
            poll({ after, waitSeconds, held: true }, signal);
          return eventStream(c, { ledger, logFailure }, { stream, first, readAfter });
        }
        const { events, ...members } = await poll({}, c.req.raw.signal);
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
          "changes-passed",
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
          { ...c.req.valid("json"), signal: c.req.raw.signal },
        );
        assertDelivers(c.var.caller, events);
        noteDelivered(c, { ledger }, stream, events);
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
        description: "Cursors from before a seek are refused. A dry run moves nothing.",
        answers: { 200: { description: "The position after the seek.", body: "SeekReceipt" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "invalid-cursor",
          "stream-not-found",
          "subscription-not-found",
          "not-compacted",
          "changes-passed",
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
        const target = `/streams/${stream}/subscriptions/${subscription}`;
        const seek = () => ledger.seek(c.var.caller.tenant, stream, subscription, to);
        return c.json(await (to.dryRun ? seek() : c.var.act({ target, request: to }, seek)));
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
