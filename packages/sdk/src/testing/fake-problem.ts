/** The problems that the fake returns. */
export const FAKE_PROBLEMS = {
  "invalid-request": [400, "never", "The request is not valid"],
  "malformed-json": [400, "never", "The body is not JSON"],
  "invalid-cursor": [400, "refresh", "The cursor is not usable here"],
  unauthorized: [401, "never", "An API key is needed"],
  forbidden: [403, "never", "The API key does not allow this"],
  "route-not-found": [404, "never", "The route does not exist"],
  "stream-not-found": [404, "never", "The stream does not exist"],
  "subscription-not-found": [404, "never", "The subscription does not exist"],
  "key-not-found": [404, "never", "The key has no current state"],
  "parked-key-not-found": [404, "never", "The key is not parked"],
  "stream-exists": [409, "never", "A stream with that name has a different configuration"],
  "subscription-exists": [
    409,
    "never",
    "A subscription with that name has a different configuration",
  ],
  "lease-lost": [409, "refresh", "Another worker holds the lease now"],
  "not-parkable": [409, "refresh", "No key can be parked at this moment"],
  "not-compacted": [409, "never", "The stream keeps no compacted state"],
  "retention-passed": [410, "refresh", "The position is older than the stream's retention"],
  "bootstrap-expired": [410, "refresh", "The bootstrap took too long"],
  "changes-passed": [410, "refresh", "The list of changes does not reach back to the cursor"],
  "sequence-mismatch": [
    412,
    "refresh",
    "Not written: a key has another last sequence than expected",
  ],
  "event-too-large": [413, "never", "An event is too large"],
  "too-many-events": [413, "never", "The request has too many events"],
  "idempotency-key-reused": [422, "never", "The Idempotency-Key was used for another request"],
  "too-many-requests": [429, "later", "Too many requests are waiting"],
  internal: [500, "same", "Internal error"],
  "stream-busy": [503, "later", "Not written: the stream is busy"],
  "outcome-unknown": [503, "same", "The request may or may not have taken effect"],
  "store-unavailable": [503, "later", "The table does not answer"],
} as const;

export type FakeCode = keyof typeof FAKE_PROBLEMS;

/** The error with which the fake refuses a request. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(code: FakeCode, detail: string, more: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    const [status, retry, title] = FAKE_PROBLEMS[code];
    const retryAfter = retry === "later" ? { retryAfter: 1 } : {};
    const type = `/docs/problems#${code}`;
    this.status = status;
    this.body = { type, title, status, code, detail, retry, ...retryAfter, ...more };
  }
}

export const invalid = (pointer: string, detail: string): Refusal =>
  new Refusal("invalid-request", `${pointer} ${detail}`, { errors: [{ pointer, detail }] });
