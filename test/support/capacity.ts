import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

/** The cost of a piece of work: requests by operation, and DynamoDB's capacity units. */
export type Consumption = {
  readonly requests: Readonly<Record<string, number>>;
  readonly read: number;
  readonly write: number;
};

type Charge = { readonly CapacityUnits?: number };

const WRITES = /^(Put|Update|Delete|BatchWrite|TransactWrite)/;

/**
 * Counts the requests of a client from now on, in the units that DynamoDB charges. `measure` runs a
 * piece of work and returns its cost. Use it for one piece at a time. DynamoDB Local reports half
 * the price of a transaction, and a read that finds nothing as free. Both are corrected here.
 * Failed requests report nothing, although DynamoDB charges for failed conditions as well.
 */
export function meterCapacity(client: DynamoDBClient): {
  measure(work: () => Promise<unknown>): Promise<Consumption>;
} {
  let requests: Record<string, number> = {};
  let read = 0;
  let write = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context.commandName).replace(/Command$/, "");
      requests[name] = (requests[name] ?? 0) + 1;
      const input = { ...args.input, ReturnConsumedCapacity: "TOTAL" };
      const result = await next({ ...args, input });
      const units = reportedUnits(result.output);
      if (name.startsWith("TransactWrite")) write += units * (isHalfPrice(result.response) ? 2 : 1);
      else if (WRITES.test(name)) write += units;
      else read += Math.max(units, isConsistent(input) ? 1 : 0.5);
      return result;
    },
    { step: "initialize", name: "meterCapacity", priority: "low" },
  );
  return {
    measure: async (work) => {
      requests = {};
      read = 0;
      write = 0;
      await work();
      return { requests: { ...requests }, read, write };
    },
  };
}

/**
 * Returns whether the store reports half the price of a transaction. DynamoDB Local does, and it
 * runs in Jetty. dynoxide and AWS report the whole price.
 */
const isHalfPrice = (response: unknown): boolean => {
  const { headers = {} } = response as { headers?: Readonly<Record<string, string>> };
  return headers.server?.startsWith("Jetty") === true;
};

const isConsistent = (input: object): boolean =>
  "ConsistentRead" in input && input.ConsistentRead === true;

function reportedUnits(output: object): number {
  const { ConsumedCapacity: charged = [] } = output as { ConsumedCapacity?: Charge | Charge[] };
  return [charged].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}
