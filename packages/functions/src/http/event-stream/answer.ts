import { invalidRequest, LedgerError } from "@eventledger/core";
import type { Context } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { wantsEventStream } from "../formats/accept.ts";
import { type LogFailure, toProblemResponse } from "../problem.ts";
import { type FollowedPage, type Following, followPages } from "./follow.ts";

export const EVENT_STREAM = "text/event-stream";

/** The event-stream format of a page of events, for descriptions of routes. */
export const EVENT_STREAM_FORM = { [EVENT_STREAM]: "EventStream" } as const;

export type StreamingDeps = RouteDeps & { readonly logFailure: LogFailure };

/** How a route reads the pages of an event stream. */
type Source = Pick<Following, "stream" | "readAfter"> & { readonly first: FollowedPage };

/**
 * Returns whether a request asks for an event stream. Throws when this entry point cannot stream,
 * for query parameters that have no meaning in an event stream, and for `Last-Event-ID` outside of
 * one. HEAD gets the answer of a page.
 */
export function isFollowing(c: Context<AppEnv>, unusable: readonly string[]): boolean {
  if (c.req.method === "HEAD") return false;
  if (!wantsEventStream(c.req.header("accept"))) {
    if (lastEventId(c) === undefined) return false;
    throw invalidRequest("/headers/last-event-id", `needs Accept: ${EVENT_STREAM}`);
  }
  if (c.env?.streamsForMs === undefined) throw new LedgerError("streaming-unavailable", { detail });
  const wrong = unusable.find((name) => c.req.query(name) !== undefined);
  if (wrong === undefined) return true;
  throw invalidRequest(
    `/query/${wrong}`,
    `must not be sent with Accept: ${EVENT_STREAM}, which follows the stream without end`,
  );
}

const detail =
  "This entry point sends only whole answers. Send Accept: application/json, and poll again after nextPollMs.";

/** Returns the cursor from which a client that reconnects continues, or undefined. */
export const lastEventId = (c: Context): string | undefined =>
  c.req.header("last-event-id") || undefined;

/** Answers with an event stream of the first page and all pages after it. */
export function eventStream(
  c: Context<AppEnv>,
  { ledger, logFailure }: StreamingDeps,
  { stream, first, readAfter }: Source,
): Response {
  const body = followPages({
    stream,
    first,
    readAfter: async (cursor, waitSeconds, signal) => {
      const page = await readAfter(cursor, waitSeconds, signal);
      // The use of a request is added to the table when it is answered, and this answer has no end.
      await ledger.flushUse();
      return page;
    },
    recheck: c.var.recheck,
    isEnding: ledger.isEnding,
    lastsMs: c.env.streamsForMs ?? 0,
    printProblem: (error) => toProblemResponse(error, c.var.requestId, logFailure).text(),
    gone: c.req.raw.signal,
  });
  // A proxy that buffers would hold events back.
  const headers = { "Content-Type": EVENT_STREAM, "Cache-Control": "no-store", Vary: "Accept" };
  return new Response(body, { headers: { ...headers, "X-Accel-Buffering": "no" } });
}
