import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import { type AttributeValue, type Item, toAttributeValues } from "./value.ts";

/**
 * Thrown for anything that the fake does not model. A test that causes it does not test what it
 * seems to test.
 */
export class FakeRefusal extends Error {
  constructor(what: string) {
    super(`the fake DynamoDB does not model ${what}`);
    this.name = "FakeRefusal";
  }
}

/** The request itself is invalid. Nothing was written. */
export const validationError = (message: string): Error =>
  serviceError("ValidationException", message, 400);

export const conditionFailed = (item: Item | undefined): Error =>
  new ConditionalCheckFailedException({
    message: "The conditional request failed",
    $metadata: metadata(400),
    ...(item !== undefined && { Item: toAttributeValues(item) }),
  });

/** Why one part of a transaction failed. "None" for the parts that did not fail. */
export type Reason = {
  readonly Code: "None" | "ConditionalCheckFailed" | "TransactionConflict" | "ValidationError";
  readonly Message?: string;
  readonly Item?: Record<string, AttributeValue>;
};

export const innocent: Reason = { Code: "None" };

export const conflictReason: Reason = {
  Code: "TransactionConflict",
  Message: "Transaction is ongoing for the item",
};

export const conditionReason = (item: Item | undefined): Reason => ({
  Code: "ConditionalCheckFailed",
  Message: "The conditional request failed",
  ...(item !== undefined && { Item: toAttributeValues(item) }),
});

/** @param reasons one for each part of the request, in its order */
export const transactionCanceled = (reasons: readonly Reason[]): Error =>
  new TransactionCanceledException({
    message:
      "Transaction cancelled, please refer cancellation reasons for specific reasons " +
      `[${reasons.map((reason) => reason.Code).join(", ")}]`,
    $metadata: metadata(400),
    CancellationReasons: [...reasons],
  });

export const transactionConflict = (): Error =>
  serviceError("TransactionConflictException", "Transaction is ongoing for the item", 400);

export const transactionInProgress = (): Error =>
  serviceError("TransactionInProgressException", "The transaction is in progress", 400);

export const tokenReused = (): Error =>
  serviceError(
    "IdempotentParameterMismatchException",
    "Request parameters do not match those of the first request with this token",
    400,
  );

export const tableMissing = (): Error =>
  serviceError("ResourceNotFoundException", "Requested resource not found", 400);

/** @param name one of the three errors with which DynamoDB throttles */
export const throttled = (
  name: "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded",
): Error => serviceError(name, "The request was throttled", 400);

export const internalError = (): Error =>
  serviceError("InternalServerError", "Internal server error", 500);

/** The error of the SDK's HTTP handler for a reply that did not arrive in time. */
export const timeoutError = (): Error =>
  Object.assign(new Error("Connection timed out"), { name: "TimeoutError", code: "ETIMEDOUT" });

/** Node's error for a broken connection. */
export const resetError = (): Error =>
  Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104, syscall: "read" });

/** The error with which the SDK rejects when the caller aborts its signal. */
export const abortError = (): Error =>
  Object.assign(new Error("Request aborted"), { name: "AbortError" });

const serviceError = (name: string, message: string, status: number): Error =>
  new DynamoDBServiceException({
    name,
    message,
    $fault: status < 500 ? "client" : "server",
    $metadata: metadata(status),
  });

const metadata = (httpStatusCode: number) => ({ httpStatusCode, attempts: 1, totalRetryDelay: 0 });
