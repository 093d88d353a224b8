import type { Metrics } from "./metrics.ts";

const READS = new Set(["BatchGetItem", "GetItem", "Query", "TransactGetItems"]);
const WRITES = new Set([
  "BatchWriteItem",
  "DeleteItem",
  "PutItem",
  "TransactWriteItems",
  "UpdateItem",
]);
const THROTTLES = new Set([
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
]);

/**
 * Middleware for the `initialize` step of a DynamoDB client. It makes every operation report its
 * capacity units, which is free, and counts the units and the throttled operations.
 */
export const createStoreMeter =
  (metrics: Metrics) =>
  <Args extends { input: object }, Result extends { output: object }>(
    next: (args: Args) => Promise<Result>,
    { commandName = "" }: { commandName?: string },
  ) =>
  async (args: Args): Promise<Result> => {
    const operation = commandName.replace(/Command$/, "");
    const units = READS.has(operation) ? "ReadUnits" : WRITES.has(operation) && "WriteUnits";
    if (!units) return next(args);
    try {
      const input = { ...args.input, ReturnConsumedCapacity: "TOTAL" };
      const result = await next({ ...args, input });
      metrics.count(units, unitsOf(result.output), operation);
      return result;
    } catch (error) {
      if (error instanceof Error && THROTTLES.has(error.name)) {
        metrics.count("StoreThrottles", 1, operation);
      }
      throw error;
    }
  };

type Consumed = { readonly CapacityUnits?: number };

function unitsOf(output: { ConsumedCapacity?: Consumed | readonly Consumed[] }): number {
  return [output.ConsumedCapacity ?? []]
    .flat()
    .reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}
