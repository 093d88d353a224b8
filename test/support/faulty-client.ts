import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  conflictReason,
  innocent,
  internalError,
  resetError,
  throttled,
  timeoutError,
  transactionCanceled,
  transactionConflict,
} from "../simulation/dynamodb/aws-error.ts";
import type { SeededRandom } from "../simulation/dynamodb/seeded-random.ts";

/** The faults of a request to a real store, under the names of the simulated one. */
const FAULTS = [
  "throttle",
  "throttle-after",
  "twice",
  "error-before",
  "error-after",
  "reset-before",
  "reset-after",
  "timeout-before",
  "timeout-after",
  "conflict",
] as const;

type ClientFault = (typeof FAULTS)[number];

export const isClientFault = (fault: string): fault is ClientFault =>
  (FAULTS as readonly string[]).includes(fault);

/** The chance of each fault for one request. The faults exclude each other. */
type ClientFaultRates = Partial<Record<ClientFault, number>>;

/**
 * Disturbs the requests of a client from now on. A time-out takes no time. Reads get a third of the
 * faults. Returns how often each fault has happened.
 */
export function disturb(
  client: DynamoDBClient,
  random: SeededRandom,
  rates: ClientFaultRates,
): Map<ClientFault, number> {
  const happened = new Map<ClientFault, number>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context.commandName);
      const isRead = /^(Get|BatchGet|Query|Describe)/.test(name);
      const fault = draw(random, rates, isRead);
      if (fault === undefined) return next(args);
      happened.set(fault, (happened.get(fault) ?? 0) + 1);
      const before = errorBefore(fault, args.input, random);
      if (before !== undefined) throw before;
      await next(args);
      if (fault === "twice") return next(args);
      throw errorAfter(fault, random);
    },
    { step: "initialize", name: "disturb", priority: "low" },
  );
  return happened;
}

function draw(
  random: SeededRandom,
  rates: ClientFaultRates,
  isRead: boolean,
): ClientFault | undefined {
  let point = random.fraction() * (isRead ? 3 : 1);
  for (const fault of FAULTS) {
    point -= rates[fault] ?? 0;
    if (point < 0) return fault;
  }
  return undefined;
}

/** Returns the error that is thrown instead of sending the request, or undefined. */
function errorBefore(fault: ClientFault, input: object, random: SeededRandom): Error | undefined {
  switch (fault) {
    case "throttle":
      return throttled("ProvisionedThroughputExceededException");
    case "error-before":
      return internalError();
    case "reset-before":
      return resetError();
    case "timeout-before":
      return timeoutError();
    case "conflict": {
      const items: unknown = "TransactItems" in input ? input.TransactItems : undefined;
      if (!Array.isArray(items)) return transactionConflict();
      const hit = random.between(0, items.length - 1);
      return transactionCanceled(items.map((_, n) => (n === hit ? conflictReason : innocent)));
    }
    default:
      return undefined;
  }
}

/** Returns the error that is thrown instead of the reply to a request that was executed. */
function errorAfter(fault: ClientFault, random: SeededRandom): Error {
  if (fault === "error-after") return internalError();
  if (fault === "reset-after") return resetError();
  if (fault === "timeout-after") return timeoutError();
  return throttled(random.pick(["ThrottlingException", "RequestLimitExceeded"]));
}
