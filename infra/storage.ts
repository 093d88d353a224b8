import type { TableOperation } from "./operations.ts";
import { isProduction, settings } from "./stage.ts";

/**
 * The one table (packages/core/ARCHITECTURE.md). It has no index, because lists have directory
 * rows. Its stream has only keys, because it is a doorbell. The local stack creates the same table,
 * and a test compares the two.
 */
const ledger = new sst.aws.Dynamo(
  "Ledger",
  {
    fields: { pk: "string", sk: "string" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    ttl: "expiresAt",
    stream: "keys-only",
    deletionProtection: isProduction,
  },
  { protect: isProduction },
);

/**
 * The table that the stage uses: its own, or one that was restored from it. In that case the
 * stage's own table stays unused, because it may be the only record of what the restore has lost.
 */
export const table = settings.restoredTable
  ? sst.aws.Dynamo.get("Restored", settings.restoredTable)
  : ledger;

/** The statement that allows exactly these operations on the table, and on nothing else. */
export function tableAccess(operations: readonly TableOperation[]) {
  return {
    actions: operations.map((operation) => `dynamodb:${operation}`),
    resources: [table.arn],
  };
}
