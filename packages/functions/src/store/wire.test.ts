import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromAttributes, toAttributes } from "./attribute-values.ts";
import { printRequest, readAnswer, readError } from "./wire.ts";

/** Any value that the product stores. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
    fc.array(tie("value")),
    fc.dictionary(
      fc.string().filter((name) => name !== "__proto__"),
      tie("value"),
    ),
  ),
}));
const item = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), value);

/** The SDK's form, with the bytes as in a body. */
const printed = (attributes: unknown): unknown =>
  JSON.parse(
    JSON.stringify(attributes, (_, of: unknown) =>
      of instanceof Uint8Array ? Buffer.from(of).toString("base64") : of,
    ),
  );

describe("the values of a row", () => {
  it("are printed and read as the SDK prints and reads them", () => {
    void fc.assert(
      fc.property(item, (fields) => {
        const ours = JSON.parse(JSON.stringify(toAttributes(fields)));
        expect(ours).toEqual(printed(marshall(fields)));
        const back = fromAttributes(ours);
        const bytes = (of: unknown) => Buffer.from(JSON.stringify(of) ?? "").toString();
        expect(bytes(toAttributes(back))).toBe(bytes(ours));
      }),
      { numRuns: 300 },
    );
  });

  it("include sets", () => {
    const fields = { words: new Set(["b", "a"]), numbers: new Set([2, 1]) };
    expect(toAttributes(fields)).toEqual(marshall(fields));
    expect(fromAttributes(toAttributes(fields))).toEqual(fields);
    expect(unmarshall(marshall(fields))).toEqual(fields);
  });

  it.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["infinity", Number.POSITIVE_INFINITY],
    ["not a number", Number.NaN],
    ["a number that loses digits", 2 ** 53],
    ["an empty set", new Set()],
    ["a mixed set", new Set([1, "a"])],
  ])("are refused when they cannot be stored: %s", (_, wrong) => {
    expect(() => toAttributes({ wrong })).toThrow(TypeError);
  });

  it("are refused when they cannot be read", () => {
    expect(() => fromAttributes({ big: { N: "9007199254740993" } })).toThrow(TypeError);
    expect(() => fromAttributes({ odd: { X: 1 } })).toThrow(TypeError);
  });
});

describe("the members of requests and answers", () => {
  const row = { pk: "a", n: 1 };
  const stored = { pk: { S: "a" }, n: { N: "1" } };
  const print = (...request: Parameters<typeof printRequest>) =>
    JSON.parse(printRequest(...request)) as Record<string, unknown>;

  it("have items in DynamoDB's form, and nothing else changes", () => {
    const names = { "#pk": "pk" };
    expect(
      print("Query", {
        TableName: "Items",
        Limit: 2,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: { ":pk": "a" },
        ExclusiveStartKey: row,
        FilterExpression: undefined,
      }),
    ).toEqual({
      TableName: "Items",
      Limit: 2,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ":pk": { S: "a" } },
      ExclusiveStartKey: stored,
    });
  });

  it("may have tables with the name of a member", () => {
    const Keys = [row];
    expect(
      print("BatchGetItem", { RequestItems: { Item: { Keys, ConsistentRead: true } } }),
    ).toEqual({
      RequestItems: { Item: { Keys: [stored], ConsistentRead: true } },
    });
    const writes = [{ PutRequest: { Item: row } }, { DeleteRequest: { Key: row } }];
    const printedWrites = [{ PutRequest: { Item: stored } }, { DeleteRequest: { Key: stored } }];
    expect(print("BatchWriteItem", { RequestItems: { Keys: writes } })).toEqual({
      RequestItems: { Keys: printedWrites },
    });
    expect(readAnswer({ UnprocessedItems: { Keys: printedWrites } })).toEqual({
      UnprocessedItems: { Keys: writes },
    });
    expect(readAnswer({ UnprocessedKeys: { Item: { Keys: [stored] } } })).toEqual({
      UnprocessedKeys: { Item: { Keys: [row] } },
    });
    expect(readAnswer({ Responses: { Item: [stored] } })).toEqual({ Responses: { Item: [row] } });
  });

  it("of a transaction are converted one by one, and it has a token", () => {
    const TransactItems = [
      { Put: { Item: row, TableName: "t" } },
      { ConditionCheck: { Key: row, ExpressionAttributeValues: { ":n": 1 } } },
    ];
    const { ClientRequestToken, ...rest } = print("TransactWriteItems", { TransactItems });
    expect(ClientRequestToken).toMatch(/^[0-9a-f-]{36}$/);
    expect(rest).toEqual({
      TransactItems: [
        { Put: { Item: stored, TableName: "t" } },
        { ConditionCheck: { Key: stored, ExpressionAttributeValues: { ":n": { N: "1" } } } },
      ],
    });
    const own = print("TransactWriteItems", { TransactItems: [], ClientRequestToken: "mine" });
    expect(own.ClientRequestToken).toBe("mine");
    expect(readAnswer({ Responses: [{ Item: stored }, {}] })).toEqual({
      Responses: [{ Item: row }, {}],
    });
  });

  it("of an answer are plain values", () => {
    const ConsumedCapacity = { TableName: "t", CapacityUnits: 1.5 };
    expect(
      readAnswer({ Items: [stored], Count: 1, LastEvaluatedKey: stored, ConsumedCapacity }),
    ).toEqual({ Items: [row], Count: 1, LastEvaluatedKey: row, ConsumedCapacity });
    expect(readAnswer({ Attributes: stored })).toEqual({ Attributes: row });
  });
});

describe("an error of the store", () => {
  it("has the name, the message and the status of the SDK's", () => {
    const type = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    const Item = { d: { B: "AAE=" }, l: { L: [{ B: "AA==" }] }, m: { M: { s: { S: "x" } } } };
    const error = readError(400, { __type: type, message: "failed", Item }, "id-1");
    expect(error).toMatchObject({
      name: "ConditionalCheckFailedException",
      message: "failed",
      $fault: "client",
      $metadata: { httpStatusCode: 400, requestId: "id-1", attempts: 1 },
      Item: {
        d: { B: Buffer.from([0, 1]) },
        l: { L: [{ B: Buffer.from([0]) }] },
        m: { M: { s: { S: "x" } } },
      },
    });
  });

  it("has the reasons of a cancelled transaction", () => {
    const CancellationReasons = [
      { Code: "None" },
      { Code: "ConditionalCheckFailed", Item: { d: { B: "AA==" } } },
    ];
    const error = readError(
      400,
      { __type: "a#TransactionCanceledException", CancellationReasons },
      "",
    );
    expect(error).toMatchObject({
      CancellationReasons: [
        { Code: "None" },
        { Code: "ConditionalCheckFailed", Item: { d: { B: Buffer.from([0]) } } },
      ],
    });
  });

  it("has a name even when the answer has none", () => {
    expect(readError(503, {}, undefined)).toMatchObject({
      name: "HttpStatus503",
      $fault: "server",
    });
    const old = readError(400, { __type: "ValidationException:http://x", Message: "Wrong" }, "");
    expect(old).toMatchObject({ name: "ValidationException", message: "Wrong" });
  });
});
