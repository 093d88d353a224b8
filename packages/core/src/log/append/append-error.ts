import { LedgerError } from "../../kernel/error.ts";

/**
 * The error for a request that is not written. It will not be written unless the client retries.
 */
export const streamBusy = (): LedgerError =>
  new LedgerError("stream-busy", {
    detail: "The stream is under write contention. Nothing was written; send the request again.",
    retryAfterSeconds: 1,
  });

/**
 * The error for a request that is not written because the table did not answer a read before the
 * write. The request will not be written unless the client retries.
 */
export const notAnswered = (cause?: unknown): LedgerError =>
  new LedgerError("store-unavailable", {
    detail: "The table did not answer in time. Nothing was written; send the request again.",
    retryAfterSeconds: 1,
    cause,
  });

/** Returns whether an append failed because the table did not answer. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof LedgerError &&
  (error.code === "store-unavailable" || error.code === "outcome-unknown");

/** The error for a request that may or may not be written. */
export const outcomeUnknown = (cause: unknown): LedgerError =>
  new LedgerError("outcome-unknown", {
    detail:
      "The table did not confirm in time that the events were written. If the request had an Idempotency-Key, send the same request again with it. Otherwise read the stream before you send it again.",
    retryAfterSeconds: 1,
    cause,
  });

export const tooManyRequests = (): LedgerError =>
  new LedgerError("too-many-requests", {
    detail: "Too many publishes are waiting in this process. Nothing was written; try again.",
    retryAfterSeconds: 1,
  });

export const keyReused = (): LedgerError =>
  new LedgerError("idempotency-key-reused", {
    detail:
      "An earlier request with this Idempotency-Key had different events. Use a new key for a new publish.",
  });
