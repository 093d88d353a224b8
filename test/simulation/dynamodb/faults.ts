import { isRead, type OperationName } from "./operation.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** The faults of a request. "before" and "after" say whether it took effect. */
export const faults = [
  /** The store throttled the request. */
  "throttle",
  /** The SDK retried the request by itself, and the store throttled the second attempt. */
  "throttle-after",
  /** The request took effect twice: the first reply was lost and it was sent again. */
  "twice",
  "error-before",
  "error-after",
  "reset-before",
  "reset-after",
  /** The request never arrives. */
  "timeout-before",
  "timeout-after",
  /** The request arrives up to five minutes after the caller gave up. Needs virtual time. */
  "timeout-late",
  /**
   * A write conflicted with a transaction that the test does not see, or a transaction with
   * anything.
   */
  "conflict",
  /** A part of a batch is returned unprocessed. */
  "unprocessed",
  /** A query's page ends after a few items, below its limit and its maximum size. */
  "short-page",
] as const;

export type Fault = (typeof faults)[number];

/**
 * The chance of each fault for one request. The faults exclude each other, so the chances add up to
 * at most 1.
 */
export type FaultRates = Partial<Record<Fault, number>>;

/** Returns the chances for a kind of operation. It is called for every request. */
export type FaultPlan = (operation: OperationName) => FaultRates;

/** Draws the fault of a request, or undefined. It draws nothing when no chance is set. */
export const drawFault = (
  operation: OperationName,
  plan: FaultPlan,
  random: SeededRandom,
): Fault | undefined => {
  const rates = plan(operation);
  const possible = faults.filter((fault) => (rates[fault] ?? 0) > 0 && fits(fault, operation));
  if (possible.length === 0) return undefined;
  let point = random.fraction();
  for (const fault of possible) {
    point -= rates[fault] ?? 0;
    if (point < 0) return fault;
  }
  return undefined;
};

/** Returns whether the store answers only a part of the request under a fault. */
export const isPartial = (fault: Fault | undefined): boolean =>
  fault === "unprocessed" || fault === "short-page";

const fits = (fault: Fault, operation: OperationName): boolean => {
  if (fault === "unprocessed") return operation === "batchGet" || operation === "batchWrite";
  if (fault === "short-page") return operation === "query";
  if (fault === "conflict") return operation === "transactGet" || conflicting.has(operation);
  return !isRead(operation) || !writesOnly.has(fault);
};

const conflicting = new Set<OperationName>(["put", "update", "delete", "transactWrite"]);

/** A read has no effect, so these faults would equal others. */
const writesOnly = new Set<Fault>(["throttle-after", "twice", "timeout-late"]);
