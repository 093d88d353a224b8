import { validationError } from "./aws-error.ts";
import { charge, readUnits } from "./capacity.ts";
import type { Engine } from "./engine.ts";
import { type Key, keyId, parseKey } from "./key.ts";
import type { Operation } from "./operation.ts";
import { copyItem, type Projection, parseProjection } from "./projection.ts";
import { createScope, type Placeholders } from "./scope.ts";
import type { Scope } from "./tokens.ts";
import type { Item } from "./value.ts";

export type GetInput = Placeholders & {
  readonly TableName: string;
  readonly Key: unknown;
  readonly ConsistentRead?: boolean;
  readonly ProjectionExpression?: string;
  readonly ReturnConsumedCapacity?: string;
};

export const getMembers = [
  "TableName",
  "Key",
  "ConsistentRead",
  "ProjectionExpression",
  "ExpressionAttributeNames",
  "ReturnConsumedCapacity",
];

/** Prepares a GetItem. */
export const prepareGet = (engine: Engine, input: GetInput): Operation => {
  const key = parseKey(copyItem(input.Key));
  const pick = picker(input);
  const { ConsistentRead: consistent = false } = input;
  const run = () => {
    const { item, bytes } = engine.view(consistent)(engine.table.row(key));
    return {
      ...(item !== undefined && { Item: pick(item) }),
      ...charge(engine.tally, input, { read: readUnits(bytes, consistent) }),
    };
  };
  return { name: "get", keys: [key], start: () => ({ parts: [], finish: run }) };
};

export type BatchGetInput = {
  readonly RequestItems: Readonly<Record<string, KeysAndAttributes>>;
  readonly ReturnConsumedCapacity?: string;
};

type KeysAndAttributes = Omit<GetInput, "TableName" | "Key"> & { readonly Keys: unknown[] };

export const batchGetMembers = ["RequestItems", "ReturnConsumedCapacity"];

/**
 * Prepares a BatchGetItem of the one table. Each item is read separately, in seeded order, because
 * DynamoDB promises no order. The answer has at most 16 MiB. The rest is returned unprocessed, and
 * so is a random part when the engine says so.
 */
export const prepareBatchGet = (engine: Engine, input: BatchGetInput): Operation => {
  const [[TableName, request] = ["", undefined]] = Object.entries(input.RequestItems);
  const { Keys, ...others }: KeysAndAttributes = request ?? { Keys: [] };
  if (Keys.length < 1 || Keys.length > 100) throw validationError("A batch reads 1 to 100 keys");
  const keys = Keys.map((key) => parseKey(copyItem(key)));
  refuseDuplicates(keys, "Provided list of item keys contains duplicates");
  const pick = picker(others);
  const { ConsistentRead: consistent = false } = others;
  const run = (partial: boolean, startedMs: number) => {
    const { now, later } = engine.split(keys, partial);
    const [items, left]: [Item[], Key[]] = [[], [...later]];
    let [read, bytesRead] = [0, 0];
    const view = engine.view(consistent, startedMs);
    for (const key of now) {
      const { item, bytes } = view(engine.table.row(key));
      if (bytesRead + bytes > 16 * 2 ** 20) left.push(key);
      else {
        bytesRead += bytes;
        read += readUnits(bytes, consistent);
        if (item !== undefined) items.push(pick(item));
      }
    }
    const { ConsumedCapacity } = charge(engine.tally, { ...input, TableName }, { read });
    return {
      Responses: { [TableName]: items },
      UnprocessedKeys: left.length === 0 ? {} : { [TableName]: { ...others, Keys: left } },
      ...(ConsumedCapacity !== undefined && { ConsumedCapacity: [ConsumedCapacity] }),
    };
  };
  const start = (partial = false) => {
    const startedMs = engine.nowMs();
    return { parts: [], finish: () => run(partial, startedMs) };
  };
  return { name: "batchGet", keys, start };
};

/** Returns a function that copies whole items, or the part that the request's projection names. */
export const picker = (
  input: Placeholders & { readonly ProjectionExpression?: string },
): ((item: Item) => Item) => {
  if (input.ProjectionExpression === undefined) {
    createScope(input, []);
    return copyItem;
  }
  const projection: Projection = parseProjection(input.ProjectionExpression);
  const scope: Scope = createScope(input, [projection]);
  return (item) => projection.pick(item, scope);
};

export const refuseDuplicates = (keys: readonly Key[], message: string): void => {
  if (new Set(keys.map(keyId)).size < keys.length) throw validationError(message);
};
