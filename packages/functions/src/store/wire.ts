import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  fromAttributes,
  mapWithBytes,
  toAttributes,
} from "./attribute-values.ts";

/**
 * The operations of the product on rows. Each takes and returns plain values, as the commands of
 * `@aws-sdk/lib-dynamodb` do.
 */
export const OPERATIONS = [
  "BatchGetItem",
  "BatchWriteItem",
  "DeleteItem",
  "GetItem",
  "PutItem",
  "Query",
  "TransactGetItems",
  "TransactWriteItems",
  "UpdateItem",
] as const;
export type RowOperation = (typeof OPERATIONS)[number];

type Members = Readonly<Record<string, unknown>>;
type Convert = (fields: Record<string, never>) => unknown;

/** The members of requests and answers that hold one item, or several. */
const ITEM = new Set([
  "Item",
  "Key",
  "ExpressionAttributeValues",
  "ExclusiveStartKey",
  "Attributes",
  "LastEvaluatedKey",
]);
const ITEMS = new Set(["Items", "Keys"]);
/** The members whose own members are tables. A table may have any name. */
const TABLES = new Set(["RequestItems", "Responses", "UnprocessedKeys", "UnprocessedItems"]);

/** Prints a request: DynamoDB's JSON. */
export function printRequest(operation: RowOperation, input: Members): string {
  const request = convertMembers(input, toAttributes);
  if (operation === "TransactWriteItems") request.ClientRequestToken ??= randomUUID();
  return JSON.stringify(request);
}

/** Returns the members of an answer as plain values. */
export const readAnswer = (answer: Members): Record<string, unknown> =>
  convertMembers(answer, fromAttributes);

function convertMembers(members: Members, convert: Convert): Record<string, unknown> {
  const converted: Record<string, unknown> = {};
  for (const name in members) {
    const value = members[name];
    if (typeof value !== "object" || value === null) converted[name] = value;
    else if (ITEM.has(name)) converted[name] = convert(value as Record<string, never>);
    else if (ITEMS.has(name))
      converted[name] = (value as Record<string, never>[]).map((each) => convert(each));
    else if (TABLES.has(name) && !Array.isArray(value))
      converted[name] = convertTables(value, convert);
    else converted[name] = convertInside(value, convert);
  }
  return converted;
}

/** An answer of BatchGetItem has the items of a table directly, and a request has objects. */
function convertTables(tables: object, convert: Convert): Members {
  return Object.fromEntries(
    Object.entries(tables).map(([name, of]) => [
      name,
      Array.isArray(of) && !of.some(isWriteRequest)
        ? of.map((each) => convert(each))
        : convertInside(of, convert),
    ]),
  );
}

const isWriteRequest = (entry: object): boolean =>
  "PutRequest" in entry || "DeleteRequest" in entry;

const convertInside = (value: unknown, convert: Convert): unknown => {
  if (Array.isArray(value)) return value.map((each) => convertInside(each, convert));
  if (typeof value !== "object" || value === null) return value;
  return convertMembers(value as Members, convert);
};

type Reason = Members & { readonly Item?: Record<string, AttributeValue> };

/**
 * Returns the error of an answer as the SDK throws it: its name, and its members with items in
 * DynamoDB's form.
 */
export function readError(status: number, body: Members, requestId: string | undefined): Error {
  const { __type: type = "", message, Message, Item, CancellationReasons, ...members } = body;
  const name = String(type).split("#").at(-1)?.split(":")[0] || `HttpStatus${status}`;
  const withItem = ({ Item: item, ...reason }: Reason) =>
    item === undefined ? reason : { ...reason, Item: mapWithBytes(item) };
  return Object.assign(new Error(String(message ?? Message ?? name)), {
    name,
    $fault: status < 500 ? "client" : "server",
    $metadata: { httpStatusCode: status, requestId, attempts: 1, totalRetryDelay: 0 },
    ...members,
    ...(Item === undefined ? {} : { Item: mapWithBytes(Item as Record<string, AttributeValue>) }),
    ...(Array.isArray(CancellationReasons)
      ? { CancellationReasons: CancellationReasons.map(withItem) }
      : {}),
  });
}
