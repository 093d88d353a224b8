import { describe, expect, it } from "vitest";
import { notingConnection } from "../../../../test/support/noting-connection.ts";
import type { Life } from "../model/names.ts";
import { batchEntity } from "./batch.entity.ts";
import type { Batch } from "./batch.ts";
import { type BatchQuery, putRequest, queryRequest, sendPut, sendQuery } from "./batch-wire.ts";

const life = "orders#0c1" as Life;
const at = { life, partition: 3 };
const batch: Batch = {
  first: 12,
  count: 3,
  batchId: Buffer.from("0123456789abcdef"),
  publishedAt: 1_790_000_000_000,
  rawBytes: 40,
  payload: Buffer.from([0, 1, 2]),
  expiresAt: 1_800_000_000,
};
const jump: Batch = { ...batch, kind: "jump" };
const archived: Batch = { ...batch, keptUntil: 1_900_000_000 };
const served: Batch = { ...batch, ticket: 7, free: 1 };
const claimed: Batch = { ...batch, claims: [[Buffer.from("claim"), 1, 2]] };

/** A batch with every attribute that one may have. */
const whole: Required<Batch> = {
  ...batch,
  ...jump,
  ...archived,
  ...served,
  ...claimed,
} as Required<Batch>;

const entity = batchEntity(notingConnection({}).connection);

describe("the requests for batches that are written by hand", () => {
  it("put the same item as ElectroDB", () => {
    for (const content of [batch, jump, archived, served, claimed, whole]) {
      expect(putRequest("ledger", life, 3, content)).toEqual(
        entity.create({ ...at, ...content }).params({ returnOnConditionCheckFailure: "all_old" }),
      );
    }
  });

  it("know every attribute of the row", () => {
    const { Item } = putRequest("ledger", life, 3, whole);
    const names = Object.entries(entity.schema.attributes).map(([name, attribute]) =>
      "field" in attribute ? attribute.field : name,
    );
    const all = [...names, "pk", "sk", "_e", "_v"];
    expect(Object.keys(Item).toSorted()).toEqual(all.toSorted());
  });

  it("query the same rows as ElectroDB", () => {
    const query = (rest: Omit<BatchQuery, "life" | "partition">) =>
      queryRequest("ledger", { ...at, ...rest });
    const attributes = [
      "first",
      "count",
      "publishedAt",
      "kind",
      "expiresAt",
      "keptUntil",
      "ticket",
      "free",
    ] as const;
    const from = entity.query.primary(at).gte({ first: 7 });
    expect(query({ from: 7, limit: 5, projection: "whole" })).toEqual(
      from.params({ limit: 5, consistent: true }),
    );
    expect(query({ from: 7, limit: 1, order: "desc", projection: "outline" })).toEqual(
      from.params({ limit: 1, consistent: true, order: "desc", attributes: [...attributes] }),
    );
    const between = entity.query.primary(at).between({ first: 0 }, { first: 9 });
    expect(query({ from: 0, to: 9, limit: 2, order: "desc", projection: "whole" })).toEqual(
      between.params({ limit: 2, consistent: true, order: "desc" }),
    );
  });

  it("read the same batches as ElectroDB", async () => {
    for (const content of [batch, jump, archived, served, claimed, whole]) {
      const { Item } = putRequest("ledger", life, 3, content);
      const { batches } = await sendQuery(notingConnection({ Items: [Item] }).connection, {
        ...at,
        from: 1,
        limit: 1,
        projection: "whole",
      });
      expect({ ...at, ...batches[0] }).toEqual(entity.parse({ Item } as never).data);
    }
  });

  it("say whether there may be more", async () => {
    const query = { ...at, from: 1, limit: 1, projection: "whole" } as const;
    const LastEvaluatedKey = { pk: "a", sk: "b" };
    expect((await sendQuery(notingConnection({ LastEvaluatedKey }).connection, query)).more).toBe(
      true,
    );
    expect((await sendQuery(notingConnection({}).connection, query)).more).toBe(false);
  });

  it("return the row that prevents a put, and throw every other error", async () => {
    const put = (answer: unknown) => sendPut(notingConnection(answer).connection, life, 3, batch);
    expect(await put({})).toBeUndefined();
    const item = { f: { N: "12" }, n: { N: "1" }, b: { B: batch.batchId }, t: { N: "5" } };
    const payload = { r: { N: "40" }, d: { B: batch.payload } };
    const refused = Object.assign(new Error(), { name: "ConditionalCheckFailedException" });
    expect(await put(refused)).toEqual({ obstacle: undefined });
    expect(await put(Object.assign(refused, { Item: { ...item, ...payload } }))).toEqual({
      obstacle: { ...batch, count: 1, publishedAt: 5, expiresAt: undefined },
    });
    await expect(put(new Error("reset"))).rejects.toThrow("reset");
  });
});
