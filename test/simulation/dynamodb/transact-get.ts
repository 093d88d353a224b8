import { conflictReason, innocent, transactionCanceled, validationError } from "./aws-error.ts";
import { charge, readUnits } from "./capacity.ts";
import { type Engine, isLocked } from "./engine.ts";
import { type Key, parseKey } from "./key.ts";
import { refuseUnknown } from "./members.ts";
import type { Operation } from "./operation.ts";
import { copyItem } from "./projection.ts";
import { type GetInput, picker, refuseDuplicates } from "./read.ts";
import { newest } from "./table.ts";

export type TransactGetInput = {
  readonly TransactItems: readonly { readonly Get: GetInput }[];
  readonly ReturnConsumedCapacity?: string;
};

export const transactGetMembers = ["TransactItems", "ReturnConsumedCapacity"];

/** Prepares a TransactGetItems: a snapshot, or a conflict with a running transaction. */
export const prepareTransactGet = (engine: Engine, input: TransactGetInput): Operation => {
  const { TransactItems: items } = input;
  if (items.length < 1 || items.length > 100) {
    throw validationError("A transaction has 1 to 100 items");
  }
  for (const { Get } of items) refuseUnknown("Get", Get, transactMembers);
  const gets = items.map(({ Get }) => ({
    key: parseKey(copyItem(Get.Key)),
    pick: picker(Get),
  }));
  const keys = gets.map(({ key }) => key);
  refuseDuplicates(keys, "Transaction request cannot include multiple operations on one item");
  const run = () => {
    const reasons = keys.map((key) => (isLocked(engine, key) ? conflictReason : innocent));
    if (reasons.includes(conflictReason)) {
      engine.tally.add("conflict.transaction");
      throw transactionCanceled(reasons);
    }
    const Responses = gets.map(({ key, pick }) => {
      const { item } = newest(engine.table.row(key));
      return item === undefined ? {} : { Item: pick(item) };
    });
    const read = snapshotUnits(engine, keys);
    const { ConsumedCapacity } = charge(
      engine.tally,
      { ...input, TableName: items[0]?.Get.TableName ?? "" },
      { read },
    );
    return {
      Responses,
      ...(ConsumedCapacity !== undefined && { ConsumedCapacity: [ConsumedCapacity] }),
    };
  };
  return { name: "transactGet", keys, start: () => ({ parts: [], finish: run }) };
};

const transactMembers = ["TableName", "Key", "ProjectionExpression", "ExpressionAttributeNames"];

/** Returns the read units of these items inside a transaction: twice those of a consistent read. */
export const snapshotUnits = (engine: Engine, keys: readonly Key[]): number =>
  keys.reduce((sum, key) => sum + 2 * readUnits(newest(engine.table.row(key)).bytes, true), 0);
