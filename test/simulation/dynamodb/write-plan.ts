import { FakeRefusal, validationError } from "./aws-error.ts";
import { type Condition, parseCondition } from "./condition.ts";
import { itemBytes } from "./item-size.ts";
import { type Key, keyOf, parseKey } from "./key.ts";
import { copyItem } from "./projection.ts";
import { createScope, type Placeholders } from "./scope.ts";
import type { Scope } from "./tokens.ts";
import { parseUpdate, type Update } from "./update.ts";
import type { Item } from "./value.ts";

export type WriteKind = "put" | "update" | "delete" | "check";

export type WriteInput = Placeholders & {
  readonly TableName: string;
  readonly Item?: unknown;
  readonly Key?: unknown;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ReturnValues?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
  readonly ReturnConsumedCapacity?: string;
};

/**
 * The members of a single write. A write in a transaction has the same members except for the last
 * two.
 */
export const writeMembers: Readonly<Record<WriteKind, readonly string[]>> = (() => {
  const always = ["TableName", "ExpressionAttributeNames", "ExpressionAttributeValues"];
  const conditional = [...always, "ConditionExpression", "ReturnValuesOnConditionCheckFailure"];
  const replies = ["ReturnValues", "ReturnConsumedCapacity"];
  return {
    put: [...conditional, "Item", ...replies],
    update: [...conditional, "Key", "UpdateExpression", ...replies],
    delete: [...conditional, "Key", ...replies],
    check: [...conditional, "Key"],
  };
})();

/** A parsed write that does not depend on the item at the time of its execution. */
export type WritePlan = {
  readonly kind: WriteKind;
  readonly key: Key;
  /** The size of the request's content, for the limit of a transaction. */
  readonly bytes: number;
  /** Whether a failed condition returns the item that failed it. */
  readonly showsItem: boolean;
  readonly returnValues: string;
  /** Returns whether the condition holds. True without a condition. */
  readonly allows: (before: Item | undefined) => boolean;
  /**
   * Returns the item after the write.
   * @throws ValidationException when the update does not fit the item
   */
  readonly after: (before: Item | undefined) => Item | undefined;
  /** The names of the attributes that an update writes. Undefined when it writes inside one. */
  readonly updated: readonly string[] | undefined;
};

const returnable: Readonly<Record<WriteKind, readonly string[]>> = {
  put: ["NONE", "ALL_OLD"],
  delete: ["NONE", "ALL_OLD"],
  update: ["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"],
  check: ["NONE"],
};

/** @throws ValidationException or FakeRefusal before anything is read */
export const planWrite = (kind: WriteKind, input: WriteInput): WritePlan => {
  const { ConditionExpression: allowing, UpdateExpression: updating } = input;
  const condition = allowing === undefined ? undefined : parseCondition(allowing);
  const update = updating === undefined ? undefined : parseUpdate(updating);
  const scope = createScope(
    input,
    [condition, update].filter((each) => each !== undefined),
  );
  condition?.check(scope);
  update?.check(scope);
  const returnValues = input.ReturnValues ?? "NONE";
  if (!returnable[kind].includes(returnValues)) throw validationError("ReturnValues is invalid");
  const showing = input.ReturnValuesOnConditionCheckFailure ?? "NONE";
  if (kind === "check" && condition === undefined) throw validationError("A check has a condition");
  return {
    kind,
    returnValues,
    showsItem: showing === "ALL_OLD",
    allows: allower(condition, scope),
    ...(kind === "put" ? planPut(input) : planKeyed(kind, input, update, scope)),
  };
};

type Effect = Pick<WritePlan, "key" | "bytes" | "after" | "updated">;

const planPut = (input: WriteInput): Effect => {
  const item = copyItem(input.Item);
  const key = keyOf(item);
  const bytes = itemBytes(item);
  refuseTooLarge(bytes);
  return { key, bytes, after: () => item, updated: [] };
};

const planKeyed = (
  kind: WriteKind,
  input: WriteInput,
  update: Update | undefined,
  scope: Scope,
): Effect => {
  const keyItem = copyItem(input.Key);
  const key = parseKey(keyItem);
  const bytes =
    itemBytes(keyItem) + (input.ExpressionAttributeValues ? itemBytes(scope.values) : 0);
  if (kind === "delete") return { key, bytes, after: () => undefined, updated: [] };
  if (kind === "check") return { key, bytes, after: (before) => before, updated: [] };
  if (update === undefined) throw new FakeRefusal("an update without UpdateExpression");
  const names = update.paths(scope).map((path) => path[0]);
  if (names.includes("pk") || names.includes("sk")) {
    throw validationError("Cannot update an attribute that is part of the key");
  }
  const whole = update.paths(scope).every((path) => path.length === 1);
  const after = (before: Item | undefined): Item => {
    const item = update.apply(before ?? keyItem, scope);
    refuseTooLarge(itemBytes(item));
    return item;
  };
  return { key, bytes, after, updated: whole ? (names as string[]) : undefined };
};

const allower = (condition: Condition | undefined, scope: Scope): WritePlan["allows"] =>
  condition === undefined ? () => true : (before) => condition.test(before, scope);

const itemBytesMax = 400 * 1024;

const refuseTooLarge = (bytes: number): void => {
  if (bytes > itemBytesMax) {
    throw validationError("Item size has exceeded the maximum allowed size");
  }
};
