import type { TableOperation } from "./operations.ts";
import { isProduction, settings } from "./stage.ts";

/**
 * The one table (packages/core/ARCHITECTURE.md). It has no index, because directory rows serve the
 * lists. Its stream contains only keys, because it only signals changes. The local stack creates
 * the same table, and a test compares the two.
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
 * The table that the stage uses: its own, or one that was restored from it. After a restore, the
 * stage's own table is not used, but it is kept because it may be the only record of the lost
 * events.
 */
export const table = settings.restoredTable
  ? sst.aws.Dynamo.get("Restored", settings.restoredTable)
  : ledger;

/** Returns the statement that allows exactly these operations on the table, and nothing else. */
export function tableAccess(operations: readonly TableOperation[]) {
  return {
    actions: operations.map((operation) => `dynamodb:${operation}`),
    resources: [table.arn],
  };
}
