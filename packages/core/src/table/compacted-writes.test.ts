import { describe, expect, it } from "vitest";
import { notingConnection } from "../../../../test/support/noting-connection.ts";
import type { Life } from "../model/names.ts";
import { compactedEntity } from "./compacted.entity.ts";
import type { CompactedRow } from "./compacted-row.ts";
import { mergeRequest, replaceRequest, sendRow, sendRows } from "./compacted-writes.ts";

const life = "orders#0c1" as Life;
const place = { bucket: 7, partition: 3, sequence: 12, publishedAt: 1_790_000_000_000 };
const row: CompactedRow = { ...place, key: "order-1", rawBytes: 40, payload: Buffer.from([0, 1]) };
const tombstone: CompactedRow = {
  ...place,
  key: "Größe #2",
  rawBytes: 0,
  deleted: true,
  expiresAt: 1_800_000_000,
};
/** A row with every attribute that one may have. */
const whole: CompactedRow = {
  ...row,
  deleted: true,
  expiresAt: 1_800_000_000,
  between: [[9, 30]],
};

const entity = compactedEntity(notingConnection().connection);

type Request = {
  readonly Key: Record<string, unknown>;
  readonly UpdateExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Record<string, unknown>;
};

/** Returns the item that an update writes over nothing. */
function written(request: Request): Record<string, unknown> {
  const { Key, UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues } = request;
  const [sets = ""] = UpdateExpression.replace("SET ", "").split(" REMOVE ");
  const item = { ...Key };
  for (const [, name = "", value = ""] of sets.matchAll(/(#\w+) = (?:\w+\(#r, )?(:\w+)/g)) {
    item[ExpressionAttributeNames[name] ?? ""] = ExpressionAttributeValues[value];
  }
  return item;
}

const failure = (name: string, members: object = {}) =>
  Object.assign(new Error(name), { name, ...members });

describe("the writes of compacted rows that are written by hand", () => {
  it("write what ElectroDB writes", () => {
    for (const content of [row, tombstone, whole]) {
      const { Item } = entity.put({ life, ...content, formerBytes: 0 }).params<{ Item: object }>();
      expect(written(replaceRequest("ledger", life, content, 5))).toEqual(Item);
      const stored = { sequence: 7, rawBytes: 50, formerBytes: 20 };
      const plan = { isNewer: true, formerBytes: 20, between: [[7, 50]] as const };
      const merged = entity.put({ life, ...content, ...plan }).params<{ Item: object }>();
      expect(written(mergeRequest("ledger", life, content, stored, plan))).toEqual(merged.Item);
    }
  });

  it("remove every attribute of the row that they do not set", () => {
    const { ExpressionAttributeNames } = replaceRequest("ledger", life, row, 5);
    const names = Object.entries(entity.schema.attributes).map(([name, attribute]) =>
      "field" in attribute ? attribute.field : name,
    );
    expect(Object.values(ExpressionAttributeNames).toSorted()).toEqual(
      [...names, "_e", "_v"].toSorted(),
    );
  });

  it("say what they have replaced, and what has refused them", async () => {
    const request = replaceRequest("ledger", life, row, 5);
    const { sent, connection } = notingConnection({ Attributes: { s: 3, r: 70 } });
    expect(await sendRow(connection, request)).toEqual({
      kind: "written",
      former: { sequence: 3, rawBytes: 70 },
    });
    expect(sent).toEqual([{ ...request, ReturnValues: "ALL_OLD" }]);
    const Item = { s: { N: "9" }, r: { N: "70" }, o: { N: "4" } };
    const refused = failure("ConditionalCheckFailedException", { Item });
    expect(await sendRow(notingConnection(refused).connection, request)).toEqual({
      kind: "refused",
      stored: { sequence: 9, rawBytes: 70, formerBytes: 4 },
    });
    const reset = notingConnection(failure("Error")).connection;
    await expect(sendRow(reset, request)).rejects.toThrow("Error");
    await expect(sendRows(reset, life, [row, row], 5)).rejects.toThrow("Error");
  });

  it("say for each row why a transaction is cancelled", async () => {
    const CancellationReasons = [{ Code: "None" }, { Code: "ConditionalCheckFailed" }, {}];
    const cancelled = failure("TransactionCanceledException", { CancellationReasons });
    expect(await sendRows(notingConnection(cancelled).connection, life, [row], 5)).toEqual({
      canceled: true,
      data: [{ code: "None" }, { code: "ConditionalCheckFailed" }, { code: "None" }],
    });
    const { sent, connection } = notingConnection();
    expect(await sendRows(connection, life, [row], 5)).toEqual({ canceled: false, data: [] });
    expect(sent).toEqual([{ TransactItems: [{ Update: replaceRequest("ledger", life, row, 5) }] }]);
    const bare = notingConnection(failure("TransactionCanceledException")).connection;
    await expect(sendRows(bare, life, [row], 5)).rejects.toThrow("TransactionCanceled");
  });
});
