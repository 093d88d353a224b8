/**
 * The operations that each function may perform on the table: those its code uses, and no others.
 * The local stack enforces the same list (packages/local/src/permit.ts).
 * test/infra/operations.test.ts fails when a function does not use one of its operations. A
 * transaction needs permission for the operation of each item. Scan is absent on purpose: nothing
 * in the product may read the whole table.
 */
export const OPERATIONS = {
  /** The router performs these operations on behalf of requests. */
  router: [
    "BatchGetItem", // listing reads many rows at once
    "BatchWriteItem", // rows of a list of changes that others replace are removed together
    "ConditionCheckItem", // a subscription is created only while its stream is live
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
  ],
  /**
   * The compactor reads the log, puts the states of keys and moves the checkpoint. It compares rows
   * of a list of changes, and removes those that others replace.
   */
  compactor: ["BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
  /** The dispatcher looks up the pushes of a stream. */
  dispatcher: ["Query"],
  /** The pusher is a worker of subscriptions: it reads the log, leases, parks and commits. */
  pusher: [
    "BatchGetItem", // a page of changed states reads many rows at once
    "BatchWriteItem", // the failures of a page are recorded together
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
  ],
  /** The sweeper does the same for every partition, and removes the data of deleted streams. */
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

/**
 * The operations that functions may perform on objects of the archive, under the same rules. Every
 * one of these functions may also list the bucket.
 */
export const OBJECT_OPERATIONS = {
  /** The router reads old events, archives on request, writes exports and signs URLs. */
  router: ["GetObject", "PutObject"],
  /** The pusher reads old events. */
  pusher: ["GetObject"],
  /** The sweeper archives, and removes objects that are no longer kept. */
  sweeper: ["DeleteObject", "GetObject", "PutObject"],
} as const;

export type ObjectOperation = (typeof OBJECT_OPERATIONS)[keyof typeof OBJECT_OPERATIONS][number];

export type TableOperation = (typeof OPERATIONS)[keyof typeof OPERATIONS][number];
