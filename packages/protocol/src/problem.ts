type Retry = "never" | "same" | "refresh" | "later";

type ProblemKind = { readonly status: number; readonly title: string; readonly retry: Retry };

/**
 * Every problem, by its code. `retry` says what a program should do: `never` (change the request),
 * `same` (send exactly the same request again), `refresh` (fetch newer state first), `later` (send
 * the same request after `Retry-After`).
 */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request is not valid", retry: "never" },
  "malformed-json": { status: 400, title: "The body is not JSON", retry: "never" },
  "malformed-gzip": { status: 400, title: "The body is not gzip", retry: "never" },
  "invalid-cursor": { status: 400, title: "The cursor is not usable here", retry: "refresh" },
  unauthorized: { status: 401, title: "An API key is needed", retry: "never" },
  forbidden: { status: 403, title: "The API key does not allow this", retry: "never" },
  "route-not-found": { status: 404, title: "The route does not exist", retry: "never" },
  "stream-not-found": { status: 404, title: "The stream does not exist", retry: "never" },
  "subscription-not-found": {
    status: 404,
    title: "The subscription does not exist",
    retry: "never",
  },
  "api-key-not-found": { status: 404, title: "The API key does not exist", retry: "never" },
  "key-not-found": { status: 404, title: "The key has no current state", retry: "never" },
  "event-not-found": { status: 404, title: "The event does not exist", retry: "never" },
  "export-not-found": { status: 404, title: "The export does not exist", retry: "never" },
  "erasure-not-found": { status: 404, title: "The erasure does not exist", retry: "never" },
  "push-not-found": { status: 404, title: "The subscription is not pushed", retry: "never" },
  "parked-key-not-found": { status: 404, title: "The key is not parked", retry: "never" },
  "method-not-allowed": {
    status: 405,
    title: "The route does not support this method",
    retry: "never",
  },
  "streaming-unavailable": {
    status: 406,
    title: "This entry point cannot stream",
    retry: "never",
  },
  "stream-exists": {
    status: 409,
    title: "A stream with that name has a different configuration",
    retry: "never",
  },
  "subscription-exists": {
    status: 409,
    title: "A subscription with that name has a different configuration",
    retry: "never",
  },
  "lease-lost": { status: 409, title: "Another worker holds the lease now", retry: "refresh" },
  "not-parkable": { status: 409, title: "No key can be parked at this moment", retry: "refresh" },
  "not-compacted": { status: 409, title: "The stream keeps no compacted state", retry: "never" },
  "incompatible-schemas": {
    status: 409,
    title: "The schemas would break data or readers",
    retry: "never",
  },
  "too-many-exports": { status: 409, title: "The stream has too many exports", retry: "later" },
  "too-many-erasures": {
    status: 409,
    title: "Too many erasures of the stream are not done",
    retry: "later",
  },
  "not-archived": { status: 409, title: "The stream has no archive", retry: "never" },
  "retention-passed": {
    status: 410,
    title: "The position is older than the stream's retention",
    retry: "refresh",
  },
  "bootstrap-expired": {
    status: 410,
    title: "The bootstrap took too long",
    retry: "refresh",
  },
  "changes-passed": {
    status: 410,
    title: "The list of changes does not reach back to the cursor",
    retry: "refresh",
  },
  "sequence-mismatch": {
    status: 412,
    title: "Not written: a key has another last sequence than expected",
    retry: "refresh",
  },
  "request-too-large": { status: 413, title: "The request is too large", retry: "never" },
  "event-too-large": { status: 413, title: "An event is too large", retry: "never" },
  "too-many-events": { status: 413, title: "The request has too many events", retry: "never" },
  "unsupported-media-type": {
    status: 415,
    title: "The content type is not accepted here",
    retry: "never",
  },
  "expectation-failed": {
    status: 417,
    title: "The expectation cannot be met",
    retry: "never",
  },
  "unsupported-data": {
    status: 422,
    title: "The data could not be returned as it was sent",
    retry: "never",
  },
  "idempotency-key-reused": {
    status: 422,
    title: "The Idempotency-Key was used for another request",
    retry: "never",
  },
  "malformed-http": { status: 400, title: "The request is not valid HTTP", retry: "never" },
  "request-timeout": { status: 408, title: "The request took too long to arrive", retry: "same" },
  "headers-too-large": { status: 431, title: "The headers are too large", retry: "never" },
  "too-many-requests": { status: 429, title: "Too many requests are waiting", retry: "later" },
  "quota-exceeded": { status: 429, title: "A quota is used up", retry: "later" },
  internal: { status: 500, title: "Internal error", retry: "same" },
  "stream-busy": { status: 503, title: "Not written: the stream is busy", retry: "later" },
  "outcome-unknown": {
    status: 503,
    title: "The request may or may not have taken effect",
    retry: "same",
  },
  "compaction-stalled": {
    status: 503,
    title: "Publishing is paused because compaction has stalled",
    retry: "later",
  },
  "compaction-lagging": {
    status: 503,
    title: "Not written: compaction lags too far to check the expectation",
    retry: "later",
  },
  "numbering-at-risk": {
    status: 503,
    title: "Publishing is stopped until an operator repairs the numbering",
    retry: "later",
  },
  "store-misconfigured": {
    status: 503,
    title: "The server is not set up to use its table",
    retry: "later",
  },
  "store-full": { status: 503, title: "Not written: the table's disk is full", retry: "later" },
  "restore-pending": {
    status: 503,
    title: "The table was restored, and an operator has not completed the restore",
    retry: "later",
  },
  "store-unavailable": { status: 503, title: "The table does not answer", retry: "later" },
  "push-unavailable": { status: 503, title: "This server does not push", retry: "never" },
  "archive-unavailable": { status: 503, title: "The archive does not answer", retry: "later" },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

export const problemCodes = Object.keys(PROBLEMS) as ProblemCode[];

/** Returns the URL that explains a problem code, as a path on the server that answered. */
export const problemType = (code: ProblemCode): string => `/docs/problems#${code}`;

/**
 * Why a cursor is refused: the member `reason` of `invalid-cursor`. After `seeked` and `restored`
 * the subscription continues from its committed offset. After `other-life` the client must discard
 * everything that it has kept of the stream.
 */
export const CURSOR_REASONS = [
  "seeked",
  "other-life",
  "other-stream",
  "other-subscription",
  "restored",
  "key-retired",
  "malformed",
  "other-query",
] as const;
export type CursorReason = (typeof CURSOR_REASONS)[number];

/** One invalid part of a request. The pointer is a JSON Pointer into its body, query or path. */
export type InvalidField = { pointer: string; detail: string };
