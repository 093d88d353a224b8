/**
 * What each function may do with the table: what its code asks for, and nothing else. The local
 * stack allows no more (packages/local/src/permit.ts), and test/infra/operations.test.ts finds what
 * none of them asks for. A transaction needs the operation of each of its items. Scan is missing on
 * purpose: nothing in the product may read the table as a whole.
 */
export const OPERATIONS = {
  /** Every request. */
  router: [
    "BatchGetItem", // lists
    "ConditionCheckItem", // a subscription is made while its stream is live
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
  ],
  /** Reads the log, puts the states of keys, moves the checkpoint. */
  compactor: ["GetItem", "PutItem", "Query", "UpdateItem"],
  /** The same for every partition, and removes what is left of ended streams. */
  sweeper: [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
  ],
} as const;

export type TableOperation = (typeof OPERATIONS)[keyof typeof OPERATIONS][number];
