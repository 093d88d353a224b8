import { LedgerError } from "../kernel/error.ts";
import { again, backOff, retry } from "../kernel/retry.ts";
import type { Connection } from "./connection.ts";

/** Errors of a wrong set-up. They persist until an operator corrects it. */
const SET_UP = [
  "AccessDeniedException",
  "CredentialsProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "KMSAccessDeniedException",
  "KMSDisabledException",
  "KMSNotFoundException",
  "MissingAuthenticationTokenException",
  "NotAuthorized",
  "OptInRequired",
  "ResourceNotFoundException",
  "SignatureDoesNotMatch",
  "TokenProviderError",
  "UnrecognizedClientException",
] as const;

/** The name of the error for a write that was not sent because the store is full. */
export const STORE_FULL = "StoreFullError";

/**
 * Errors that prove that the request was not carried out and never will be. All others are unknown.
 */
const REFUSALS = new Set([
  ...SET_UP,
  STORE_FULL,
  "IdempotentParameterMismatchException",
  "ItemCollectionSizeLimitExceededException",
  "SerializationException",
  "ValidationException",
]);

/** Returns the name of an AWS error, even if ElectroDB has wrapped it. */
export const awsErrorName = (error: unknown): string => {
  if (!(error instanceof Error)) return "";
  const wrapped = "isElectroError" in error && error.cause instanceof Error ? error.cause : error;
  return wrapped.name;
};

/**
 * Returns whether the store refused a request permanently, because of a defect or a wrong set-up.
 */
export const isRefusal = (error: unknown): boolean => {
  const name = awsErrorName(error);
  return REFUSALS.has(name) || name === "ElectroError" || name.startsWith("Electro");
};

/** Returns the error to throw for a refusal. It has a problem code if an operator has to act. */
export const refusalOf = (error: unknown): unknown => {
  const name = awsErrorName(error);
  if (name === STORE_FULL) {
    return new LedgerError("store-full", {
      detail:
        "The disk that holds the table is full. This request was not written and never will be. An operator must free some space.",
      retryAfterSeconds: 30,
      cause: error,
    });
  }
  if (!SET_UP.some((known) => known === name)) return error;
  return new LedgerError("store-misconfigured", {
    detail:
      "This server cannot use its table: it lacks credentials or permissions, or the table does not exist. Nothing was changed. The server's log has the cause under this request id.",
    retryAfterSeconds: 30,
    cause: error,
  });
};

export const isConditionFailure = (error: unknown): boolean =>
  awsErrorName(error) === "ConditionalCheckFailedException";

const READ_TRIES = 4;
export const READ_BACKOFF = { baseMs: 25, capMs: 400 };

/**
 * Runs a read, and repeats it when the store fails. Reading twice changes nothing. Throws
 * `store-unavailable` when the store does not recover within a few tries.
 */
export async function readRows<T>(connection: Connection, read: () => Promise<T>): Promise<T> {
  const limits = { tries: READ_TRIES, pause: backOff(connection, READ_BACKOFF) };
  return retry(limits, async () => {
    try {
      return await read();
    } catch (error) {
      if (isRefusal(error)) throw refusalOf(error);
      return again(storeUnavailable(error));
    }
  });
}

export const storeUnavailable = (cause: unknown): LedgerError =>
  new LedgerError("store-unavailable", {
    detail: "The table did not answer a read. Nothing was changed; try again shortly.",
    retryAfterSeconds: 1,
    cause,
  });

/**
 * Runs a write once. A lost answer becomes `outcome-unknown`: the write may have happened, and only
 * the caller knows whether repeating it is harmless.
 */
export async function writeRows<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isConditionFailure(error)) throw error;
    throw isRefusal(error) ? refusalOf(error) : outcomeUnknown(error);
  }
}

export const outcomeUnknown = (cause: unknown): LedgerError =>
  new LedgerError("outcome-unknown", {
    detail:
      "The table did not confirm that the write took effect. Send exactly the same request again.",
    retryAfterSeconds: 1,
    cause,
  });

const WRITE_TRIES = 5;

/**
 * Runs an idempotent write, and repeats it while its outcome is unknown. Throws `outcome-unknown`
 * when the store does not recover within a few attempts, and when it refuses an attempt after one
 * that may have been carried out.
 */
export async function writeRowsUntilKnown<T>(
  connection: Connection,
  write: () => Promise<T>,
): Promise<T> {
  const limits = { tries: WRITE_TRIES, pause: backOff(connection, READ_BACKOFF) };
  return retry(limits, async (attempt) => {
    try {
      return await writeRows(write);
    } catch (error) {
      if (error instanceof LedgerError && error.code === "outcome-unknown") return again(error);
      throw attempt === 0 || isConditionFailure(error) ? error : outcomeUnknown(error);
    }
  });
}
