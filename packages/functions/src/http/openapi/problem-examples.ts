import { PROBLEMS, type ProblemCode, problemCodes, problemType } from "@eventledger/protocol";

/** One example for each code. The other members of a problem follow from its code. */
const CASES: Readonly<Record<ProblemCode, Readonly<Record<string, unknown>>>> = {
  "invalid-request": {
    detail: "/retentionHours must be at least 1",
    errors: [{ pointer: "/retentionHours", detail: "must be at least 1" }],
  },
  "malformed-json": { detail: "The body cannot be parsed as JSON." },
  "malformed-gzip": {
    detail: "The body cannot be decompressed: it is not gzip, or it is incomplete.",
  },
  "invalid-cursor": {
    detail: "A seek moved the subscription after this cursor was made. Poll again.",
    reason: "seeked",
  },
  unauthorized: {
    detail: "Send the API key as `Authorization: Bearer <key>` or `X-Api-Key: <key>`.",
  },
  forbidden: { detail: "This request needs the scope publish, which the API key does not have." },
  "route-not-found": { detail: "No route has this path. GET /openapi.json lists all of them." },
  "stream-not-found": {
    detail: "No stream of that name exists. GET /streams lists those that do.",
  },
  "subscription-not-found": {
    detail: "The stream has no subscription of that name. Create it with POST .../subscriptions.",
  },
  "api-key-not-found": { detail: "No API key with that id exists. GET /keys lists those that do." },
  "key-not-found": { detail: "The key was deleted.", deleted: true, sequence: 43 },
  "event-not-found": { detail: "No event has this sequence yet." },
  "export-not-found": {
    detail: "The stream has no export with this id. Exports are removed after 3 days.",
  },
  "incompatible-schemas": {
    detail:
      "/schemas/order.placed breaks the subscription billing, which reads /total of order.placed: it can no longer be there. Change it, or send force=true. Nothing was changed.",
    errors: [
      {
        pointer: "/schemas/order.placed",
        detail:
          "breaks the subscription billing, which reads /total of order.placed: it can no longer be there",
      },
    ],
    breaks: [
      {
        subscription: "billing",
        type: "order.placed",
        field: "/total",
        detail: "can no longer be there",
      },
    ],
  },
  "too-many-exports": {
    detail: "A stream keeps at most 10 exports. Delete one, or wait until one expires.",
    retryAfter: 3_600,
  },
  "erasure-not-found": { detail: "The stream has no erasure with this id." },
  "too-many-erasures": {
    detail: "100 erasures of the stream are not done. Wait until one is.",
    retryAfter: 3_600,
  },
  "push-not-found": {
    detail: "The subscription is not pushed. Set an endpoint with PUT .../push.",
  },
  "push-unavailable": {
    detail:
      "This server does not push. Its operator can deploy it with PUSH=on and the secret PushKey.",
  },
  "parked-key-not-found": {
    detail: "The key is not parked in this subscription. GET .../parked lists those that are.",
  },
  "method-not-allowed": { detail: "The path does not allow PUT. It allows DELETE, GET, PATCH." },
  "streaming-unavailable": {
    detail:
      "This entry point sends only whole answers. Send Accept: application/json, and poll again after nextPollMs.",
  },
  "stream-exists": {
    detail:
      "A stream named orders exists with a different retentionHours. PATCH it, or choose a different name.",
    differing: "retentionHours",
  },
  "subscription-exists": {
    detail:
      "A subscription named shipping exists with other settings. PATCH it, seek, or choose another name.",
  },
  "lease-lost": {
    detail:
      "Another worker has taken over part of what this cursor covers. The part that is still this worker's is committed. Poll again with `consumer`.",
  },
  "not-parkable": { detail: "The subscription is reading a snapshot, so nothing can be parked." },
  "not-archived": {
    detail: "The stream is not archived. PATCH its archiveDays first.",
  },
  "not-compacted": {
    detail: 'The stream was created with compaction "none". Read it from `earliest` instead.',
  },
  "retention-passed": {
    detail:
      "The events at this position are no longer kept. Seek to `earliest`, or to `bootstrap` for the current state of every key. The states that changed since this position are known: seek to `{ since }` with the cursor in `since`.",
    earliestSequence: 4,
    seek: "bootstrap",
    since:
      "AQGFBAwzWFNlSkNETGdFLVQMOUdkbkh6ekF5OEFsAgAEAAAAAAIwMAAAAAAAAAAEAQABAAEAAgAxuVC-JwnsgIlhly3h8YmN",
  },
  "bootstrap-expired": {
    detail:
      "This bootstrap began more than a day ago by the clock of this server. Discard what it has delivered and seek to `bootstrap` for a new one.",
    seek: "bootstrap",
  },
  "changes-passed": {
    detail:
      "The list of changes does not reach back to this cursor. Keys that were deleted since are unknown, so discard your copy and seek to `bootstrap`.",
    seek: "bootstrap",
  },
  "sequence-mismatch": {
    detail:
      "The last event of order-123 has sequence 43, not 42. Nothing was written. Read the newer events and decide again.",
    mismatches: [{ key: "order-123", expectedSequence: 42, sequence: 43, deleted: false }],
  },
  "compaction-lagging": {
    detail:
      "Compaction lags too far to find the last event of each key in time. Nothing was written.",
  },
  "request-too-large": {
    detail: "A request may have at most 4194304 bytes. Publish fewer events at once.",
    requestBytesMax: 4_194_304,
  },
  "event-too-large": {
    detail: "/events/0 is an event of 300000 bytes; at most 262144 are allowed.",
    eventBytes: 300_000,
    eventBytesMax: 262_144,
  },
  "too-many-events": {
    detail: "A request holds at most 1000 events. Split it.",
    requestEventsMax: 1_000,
  },
  "unsupported-media-type": {
    detail: "text/plain is not accepted.",
    accepted: "application/json, application/x-ndjson",
  },
  "expectation-failed": { detail: "The only supported value of Expect is `100-continue`." },
  "unsupported-data": {
    detail: "The data holds a lone surrogate, which has no UTF-8 form.",
    errors: [{ pointer: "/data/name", detail: "holds a lone surrogate" }],
  },
  "idempotency-key-reused": {
    detail:
      "An earlier request with this Idempotency-Key had different events. Use a new key for a new publish.",
  },
  "malformed-http": { detail: "The connection was closed before the body was complete." },
  "request-timeout": { detail: "Send the headers within 10 s and the whole request within 30 s." },
  "headers-too-large": {
    detail: "The request line and the headers together may have at most 16384 bytes.",
  },
  "quota-exceeded": {
    detail: "The key has used up its quota: eventsPerSecond is 100. Nothing was changed.",
    quota: "eventsPerSecond",
    of: "key",
    limit: 100,
    until: "2026-11-29T10:00:00.400Z",
    retryAfter: 1,
  },
  "too-many-requests": {
    detail: "Too many publishes are waiting in this process. Nothing was written; try again.",
  },
  internal: {
    detail: "Internal error. Report the request id to the operator.",
  },
  "stream-busy": {
    detail: "The stream is under write contention. Nothing was written; send the request again.",
  },
  "outcome-unknown": {
    detail:
      "The table did not confirm in time that the events were written. If the request had an Idempotency-Key, send the same request again with it. Otherwise read the stream before you send it again.",
  },
  "compaction-stalled": {
    detail:
      "Compaction has not caught up for too long. POST /streams/{stream}/compact, or check that the compactor runs.",
    lookedAt: "2026-11-17T08:30:00.000Z",
    retryAfter: 60,
  },
  "numbering-at-risk": {
    detail:
      "The end of this stream was not checked for 30 days, so its numbering cannot be trusted. An operator must repair it.",
    lookedAt: "2026-10-20T08:30:00.000Z",
    retryAfter: 3_600,
  },
  "store-misconfigured": {
    detail:
      "This server cannot use its table: it lacks credentials or permissions, or the table does not exist.",
  },
  "store-full": {
    detail: "The disk that holds the table is full. This request was not written.",
    retryAfter: 30,
  },
  "restore-pending": {
    detail:
      "The table is a copy, and the restore is not complete. An operator has to send POST /restored.",
    retryAfter: 60,
  },
  "store-unavailable": {
    detail: "The table did not answer a read. Nothing was changed; try again shortly.",
  },
  "archive-unavailable": {
    detail: "The bucket of the archive gave no clear answer. Send the same request again shortly.",
  },
};

const exampleOf = (code: ProblemCode) => {
  const { status, title, retry } = PROBLEMS[code];
  const { detail, ...facts } = CASES[code];
  return {
    summary: title,
    value: {
      type: problemType(code),
      title,
      status,
      code,
      detail,
      instance: "4b0e2f6c-1c1e-4c83-8f2b-0a6f5b1f9d27",
      retry,
      ...(retry === "later" ? { retryAfter: 1 } : {}),
      ...facts,
    },
  };
};

/** An example of every problem, by its code. */
export const PROBLEM_EXAMPLES = Object.fromEntries(
  problemCodes.map((code) => [code, exampleOf(code)]),
);
