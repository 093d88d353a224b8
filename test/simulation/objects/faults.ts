import type { SeededRandom } from "../dynamodb/seeded-random.ts";

/** The faults of a request to the bucket. "before" and "after" say whether it took effect. */
export const objectFaults = [
  /** 503: the bucket asks for fewer requests. Nothing happened. */
  "slow-down",
  /** 409: another write of this name is under way. Only a put has it. */
  "conflict",
  /** The bytes changed on their way. The bucket refuses them. Only a put has it. */
  "damaged",
  /** The request took effect, its reply was lost below the SDK, and it was sent again. */
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
] as const;

export type ObjectFault = (typeof objectFaults)[number];
export type ObjectOperation = "put" | "head" | "get" | "list" | "remove";

/** Returns the chance of each fault for a request. The faults exclude each other. */
export type ObjectFaultPlan = (operation: ObjectOperation) => Partial<Record<ObjectFault, number>>;

/** Draws the fault of a request, or undefined. It draws nothing when no chance is set. */
export const drawObjectFault = (
  operation: ObjectOperation,
  plan: ObjectFaultPlan,
  random: SeededRandom,
): ObjectFault | undefined => {
  const rates = plan(operation);
  const possible = objectFaults.filter(
    (fault) => (rates[fault] ?? 0) > 0 && (operation === "put" || !ofPuts.has(fault)),
  );
  if (possible.length === 0) return undefined;
  let point = random.fraction();
  for (const fault of possible) {
    point -= rates[fault] ?? 0;
    if (point < 0) return fault;
  }
  return undefined;
};

const ofPuts = new Set<ObjectFault>(["conflict", "damaged"]);

/** Returns the error of a fault that strikes before the bucket sees the request, or undefined. */
export const objectErrorBefore = (fault: ObjectFault | undefined): Error | undefined => {
  switch (fault) {
    case "slow-down":
      return s3Error("SlowDown", 503);
    case "conflict":
      return s3Error("ConditionalRequestConflict", 409);
    case "damaged":
      return s3Error("BadDigest", 400);
    case "error-before":
      return s3Error("InternalError", 500);
    case "reset-before":
      return resetError();
    default:
      return undefined;
  }
};

/** Returns the error that replaces the bucket's reply, or undefined. */
export const objectErrorAfter = (fault: ObjectFault | undefined): Error | undefined => {
  if (fault === "error-after") return s3Error("InternalError", 500);
  return fault === "reset-after" ? resetError() : undefined;
};

/** An error in the form of the SDK. */
export const s3Error = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode, attempts: 1 } });

export const timeoutError = (): Error =>
  Object.assign(new Error("Connection timed out"), { name: "TimeoutError" });

const resetError = (): Error =>
  Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104 });
