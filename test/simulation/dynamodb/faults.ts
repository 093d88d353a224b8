import { isRead, type OperationName } from "./operation.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What may befall one request. "before" and "after" say whether it took effect. */
export const faults = [
  /** Refused for its rate. */
  "throttle",
  /** The SDK sent it again by itself, and the second one was refused for its rate. */
  "throttle-after",
  /** It took effect twice: the first reply was lost and it was sent again. */
  "twice",
  "error-before",
  "error-after",
  "reset-before",
  "reset-after",
  /** It never arrives. */
  "timeout-before",
  "timeout-after",
  /** It arrives after the caller gave up, up to five minutes later. Needs virtual time. */
  "timeout-late",
  /** A write met a transaction that the test does not see; a transaction met anything. */
  "conflict",
  /** A part of a batch is given back. */
  "unprocessed",
  /** A query's page ends after a few items, before its limit and its size say so. */
  "short-page",
] as const;

export type Fault = (typeof faults)[number];

/** Chance of each fault for one request; they exclude each other, so they add up to 1 at most. */
export type FaultRates = Partial<Record<Fault, number>>;

/** The rates for a kind of operation, asked for every request. */
export type FaultPlan = (operation: OperationName) => FaultRates;

/** The one fault of this request, or undefined. Draws nothing when no rate is set. */
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

/** Of these the store answers a part. */
export const isPartial = (fault: Fault | undefined): boolean =>
  fault === "unprocessed" || fault === "short-page";

const fits = (fault: Fault, operation: OperationName): boolean => {
  if (fault === "unprocessed") return operation === "batchGet" || operation === "batchWrite";
  if (fault === "short-page") return operation === "query";
  if (fault === "conflict") return operation === "transactGet" || conflicting.has(operation);
  return !isRead(operation) || !writesOnly.has(fault);
};

const conflicting = new Set<OperationName>(["put", "update", "delete", "transactWrite"]);

/** A read has no effect, so these would be the same as others. */
const writesOnly = new Set<Fault>(["throttle-after", "twice", "timeout-late"]);
