import { type IncomingEvent, invalidRequest } from "@eventledger/core";
import { BrowseQuery, ReadableParams, StreamParams } from "@eventledger/protocol";
import { type Context, Hono, type HonoRequest } from "hono";
import { cappedChunks } from "../body-cap.ts";
import { compressed } from "../compressed.ts";
import type { AppEnv } from "../env.ts";
import {
  EVENT_STREAM_FORM,
  eventStream,
  isFollowing,
  lastEventId,
  type StreamingDeps,
} from "../event-stream/answer.ts";
import { expectOfKey } from "../expected-sequence.ts";
import { publishDecoder } from "../formats/publish-body.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { addLimitHeaders } from "../limit.ts";
import { operation } from "../operation.ts";
import { CLOUD_EVENTS_PAGE, pageResponse } from "../page.ts";
import { noteDelivered, userOf } from "../use.ts";
import { valid } from "../validate.ts";
import {
  assertCoversEvents,
  assertCoversKey,
  assertOfLife,
  narrowed,
  withoutCounts,
} from "../within.ts";

/** Routes that publish to a stream and read it without a subscription. */
export const eventRoutes = ({ ledger, logFailure }: StreamingDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams/:stream/events",
      operation({
        id: "publishEvents",
        tag: "events",
        summary: "Publish one event or several, all or none",
        description:
          "Takes native JSON, NDJSON, and CloudEvents 1.0 in structured, batch and binary mode. 201 means durable. With If-Match, or `expectedSequence` in events, nothing is written unless the keys are as expected. In binary mode the body is the data, of any content type, and `ce-*` headers hold the attributes, including `ce-specversion` and extensions.",
        headers: "PublishHeaders",
        asked: ["If-Match", "If-None-Match", "Idempotency-Key"],
        body: {
          "application/json": "PublishBody",
          "application/x-ndjson": "EventLines",
          "application/cloudevents+json": "CloudEvent",
          "application/cloudevents-batch+json": "CloudEventBatchBody",
          "*/*": "BinaryData",
        },
        answers: {
          201: { description: "The events are durable.", body: "PublishReceipt" },
          200: {
            description:
              "An earlier request with this Idempotency-Key has already published the events.",
            body: "PublishReceipt",
          },
        },
        problems: [
          "malformed-json",
          "malformed-gzip",
          "stream-not-found",
          "request-too-large",
          "event-too-large",
          "too-many-events",
          "unsupported-media-type",
          "unsupported-data",
          "idempotency-key-reused",
          "sequence-mismatch",
          "compaction-lagging",
          "not-compacted",
          "too-many-requests",
          "stream-busy",
          "outcome-unknown",
          "compaction-stalled",
          "numbering-at-risk",
        ],
      }),
      valid("param", StreamParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        const idempotencyKey = readIdempotencyKey(c.req.header("idempotency-key"));
        const received = await receiveEvents(c.req);
        assertCoversEvents(c.var.caller, received);
        await limitPublish(c, ledger, received);
        const { events, ofLife } = expectOfKey(received, {
          ifMatch: c.req.header("if-match"),
          ifNoneMatch: c.req.header("if-none-match"),
        });
        const { caller } = c.var;
        const { replayed, bytes, ...receipt } = await ledger.publish(
          caller.tenant,
          stream,
          events,
          { idempotencyKey, ofLife },
        );
        if (!replayed) {
          const published = { published: events.length, publishedBytes: bytes };
          ledger.noteUse(userOf(caller, stream), published);
        }
        return c.json(receipt, replayed ? 200 : 201);
      },
    )
    .get(
      "/streams/:stream/events",
      operation({
        id: "browseEvents",
        tag: "events",
        summary: "Read a stream without a subscription",
        description:
          "Reading starts at either end, at a moment or after a cursor. With a filter, an empty page is not yet the end: continue from its cursor until `caughtUp`. Follow a stream with `waitSeconds`, read back with `order=desc` or `last`, and get one event with `key` and `sequence`.",
        answers: {
          200: {
            description: "A page of events.",
            body: "EventPage",
            forms: { ...CLOUD_EVENTS_PAGE, ...EVENT_STREAM_FORM },
          },
        },
        headers: "FollowHeaders",
        asked: ["Last-Event-ID"],
        problems: [
          "invalid-cursor",
          "stream-not-found",
          "event-not-found",
          "streaming-unavailable",
          "retention-passed",
        ],
      }),
      compressed,
      valid("param", ReadableParams),
      valid("query", BrowseQuery),
      async (c) => {
        const { stream } = c.req.valid("param");
        const { caller } = c.var;
        const query = c.req.valid("query");
        // The schema fills in a `limit`, so only the request itself says whether it has one.
        if (query.last !== undefined && c.req.query("limit") !== undefined) {
          throw invalidRequest("/query/limit", "must not be sent together with last");
        }
        if (query.key !== undefined) assertCoversKey(caller, query.key, "/query/key");
        const keyPrefix = narrowed(caller, query.keyPrefix, "/query/keyPrefix");
        const browse = async (
          of: Partial<typeof query & { held: boolean }>,
          signal: AbortSignal,
        ) => {
          const request = { ...query, keyPrefix, ...of };
          const read = await ledger.browse(caller.tenant, stream, request, signal);
          assertOfLife(caller, stream, read.life);
          const page = withoutCounts(caller, read);
          noteDelivered(c, { ledger }, stream, page.events);
          return page;
        };
        if (isFollowing(c, ENDING)) {
          const { limit } = query;
          const first = await browse({ from: lastEventId(c) ?? query.from }, c.req.raw.signal);
          const readAfter = (from: string, waitSeconds: number, signal: AbortSignal) =>
            browse({ limit, from, waitSeconds, held: true }, signal);
          return eventStream(c, { ledger, logFailure }, { stream, first, readAfter });
        }
        const { events, ...members } = await browse({}, c.req.raw.signal);
        return pageResponse(c.req.header("accept"), stream, events, members);
      },
    );

/** Holds a publish to the quotas of its key and tenant. */
async function limitPublish(
  c: Context<AppEnv>,
  ledger: StreamingDeps["ledger"],
  events: readonly IncomingEvent[],
): Promise<void> {
  const { caller } = c.var;
  await ledger.assertMayStore(caller.tenant);
  const cost = {
    eventsPerSecond: events.length,
    /** Few keys have a limit of bytes. */
    get bytesPerSecond() {
      return events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
    },
  };
  addLimitHeaders(c, await ledger.takeQuota(caller, cost));
}

/** The parameters of a page that an event stream cannot follow, or sets itself. */
const ENDING = ["until", "order", "last", "sequence", "waitSeconds"];

/**
 * Decodes the events of a publish. NDJSON is decoded while it arrives, so an invalid line is
 * refused before the whole body is read.
 */
async function receiveEvents(req: HonoRequest): Promise<IncomingEvent[]> {
  const { headers } = req.raw;
  const decoder = publishDecoder({ contentType: req.header("content-type"), headers });
  if ("whole" in decoder) return decoder.whole(new Uint8Array(await req.arrayBuffer()));
  for await (const bytes of cappedChunks(req.raw.body)) decoder.push(bytes);
  return decoder.end();
}
