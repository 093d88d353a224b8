import { LedgerError } from "../kernel/error.ts";

/** Errors of a wrong set-up. They persist until an operator corrects it. */
const SET_UP = new Set([
  "AccessDenied",
  "AllAccessDisabled",
  "AuthorizationHeaderMalformed",
  "CredentialsProviderError",
  "ExpiredToken",
  "Forbidden",
  "InvalidAccessKeyId",
  "InvalidBucketName",
  "InvalidToken",
  "KMS.DisabledException",
  "KMS.NotFoundException",
  "NoSuchBucket",
  "PermanentRedirect",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "TokenProviderError",
]);

/** Refusals of bytes that changed on their way. Nothing was written. */
const DAMAGED = new Set([
  "BadDigest",
  "IncompleteBody",
  "InvalidDigest",
  "RequestTimeout",
  "XAmzContentChecksumMismatch",
  "XAmzContentSHA256Mismatch",
]);

/**
 * What an error of S3 means:
 *
 * - missing: no object has this name
 * - taken: an object has this name (412)
 * - past-end: the range begins after the last byte (416)
 * - set-up: an operator has to act
 * - defect: the request is wrong, and repeating it does not help
 * - unclear: another attempt can succeed, and a write may have happened or not
 */
export type S3Failure = "missing" | "taken" | "past-end" | "set-up" | "defect" | "unclear";

export function s3Failure(error: unknown): S3Failure {
  const { name, status } = describe(error);
  if (SET_UP.has(name)) return "set-up";
  if (DAMAGED.has(name)) return "unclear";
  switch (status) {
    case 404:
      return "missing";
    case 412:
      return "taken";
    case 416:
      return "past-end";
    case 401:
    case 403:
      return "set-up";
    // Without a status, no answer arrived. 409 means that another write of the same name is in
    // progress.
    case 408:
    case 409:
    case 429:
    case undefined:
      return "unclear";
    default:
      return status >= 400 && status < 500 ? "defect" : "unclear";
  }
}

function describe(error: unknown): { name: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: "", status: undefined };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, status: $metadata?.httpStatusCode };
}

export const objectsUnavailable = (cause: unknown): LedgerError =>
  new LedgerError("archive-unavailable", {
    detail: "The bucket of the archive gave no clear answer. Send the same request again shortly.",
    retryAfterSeconds: 1,
    cause,
  });

export const objectsMisconfigured = (cause: unknown): LedgerError =>
  new LedgerError("archive-unavailable", {
    detail:
      "This server cannot use the bucket of its archive: it lacks credentials or permissions, or the bucket does not exist. The server's log has the cause under this request id.",
    retryAfterSeconds: 30,
    cause,
  });
