import { pipeline } from "node:stream/promises";
import type { Hono } from "hono";
import type { AppEnv } from "../http/env.ts";
import type { Answered } from "../metrics/request-log.ts";
import { type HttpEvent, type HttpHead, headOf } from "./http-event.ts";
import { readEvent } from "./request.ts";

/** The part of a call's context that is used here. */
export type StreamedContext = {
  /** The milliseconds until Lambda ends the call. */
  getRemainingTimeInMillis(): number;
  callbackWaitsForEmptyEventLoop: boolean;
};

export type StreamedHandler = (
  event: HttpEvent,
  stream: NodeJS.WritableStream,
  context: StreamedContext,
) => Promise<void>;

/** The global `awslambda` of Lambda's own runtime. It is not documented as a type anywhere. */
export type StreamingRuntime = {
  /** Marks a handler, so that the runtime passes it a stream for its answer. */
  streamifyResponse(handler: StreamedHandler): StreamedHandler;
  readonly HttpResponseStream: {
    /** Returns the stream of the body. The head is sent before the first bytes that are written. */
    from(stream: NodeJS.WritableStream, head: HttpHead): NodeJS.WritableStream;
  };
};

type Deps = {
  readonly app: Hono<AppEnv>;
  /** Called for every request once its answer begins. */
  readonly onAnswered: (answered: Answered) => void;
  /** How long an event stream may last, in milliseconds. */
  readonly streamsForMs: number;
};

/** The time that is left for the last page of an event stream when the call is about to end. */
const RESERVE_MS = 10_000;

/**
 * Answers the events of a Function URL with the invoke mode RESPONSE_STREAM. Each answer is sent
 * while it is made. A call whose client has gone is not ended by Lambda, so an event stream ends by
 * itself, in time before the call's timeout.
 */
export function createStreamedHandler(
  { streamifyResponse, HttpResponseStream }: StreamingRuntime,
  { app, onAnswered, streamsForMs }: Deps,
): StreamedHandler {
  return streamifyResponse(async (event, stream, context) => {
    // By default, the runtime takes no other request until all timers and sockets have ended.
    context.callbackWaitsForEmptyEventLoop = false;
    const { request, refusal } = readEvent(event);
    const leftMs = Math.max(0, context.getRemainingTimeInMillis() - RESERVE_MS);
    const response = await app.fetch(request, {
      refusal,
      report: onAnswered,
      streamsForMs: Math.min(streamsForMs, leftMs),
    });
    const { headers, ...head } = headOf(response);
    // The answer is sent in chunks, and AWS may unpack it on its way.
    const { "content-length": _, ...chunked } = headers;
    const body = HttpResponseStream.from(stream, { ...head, headers: chunked });
    // Status and headers leave now. Without a write they would never leave.
    body.write("");
    if (response.body !== null) return pipeline(response.body, body);
    // A Function URL leaves the connection open after an answer that lacks the body that it could
    // have.
    if (request.method !== "HEAD" && !BODILESS.has(response.status)) body.write("\n");
    body.end();
  });
}

/** The statuses that never have a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);
