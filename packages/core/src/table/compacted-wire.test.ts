import { describe, expect, it } from "vitest";
import { notingConnection } from "../../../../test/support/noting-connection.ts";
import type { Life } from "../model/names.ts";
import { compactedEntity } from "./compacted.entity.ts";
import type { CompactedRow } from "./compacted-row.ts";
import { type CompactedRange, rowsRequest, sendRowsQuery } from "./compacted-wire.ts";

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
const whole: Required<CompactedRow> = {
  ...row,
  payload: Buffer.from([0, 1]),
  deleted: true,
  expiresAt: 1_800_000_000,
  formerBytes: 20,
  between: [[9, 30]],
};

const entity = compactedEntity(notingConnection().connection);
const itemOf = (content: CompactedRow) =>
  entity.put({ life, ...content }).params<{ Item: Record<string, unknown> }>().Item;

describe("the queries for compacted rows that are written by hand", () => {
  const query = entity.query.primary({ life, bucket: 7 });
  const options = { limit: 5, consistent: true as const };

  it("are those of ElectroDB", () => {
    const asked = (range: Omit<CompactedRange, "limit">) =>
      rowsRequest("ledger", life, 7, { ...range, limit: 5 });
    expect(asked({})).toEqual(query.params(options));
    expect(asked({ from: "a" })).toEqual(query.gte({ key: "a" }).params(options));
    expect(asked({ after: "a", from: "0" })).toEqual(query.gt({ key: "a" }).params(options));
  });

  it("return the rows as ElectroDB does, and say whether there may be more", async () => {
    for (const content of [row, tombstone, whole]) {
      const Item = itemOf(content);
      const found = notingConnection({ Items: [Item], LastEvaluatedKey: {} });
      const { rows, more } = await sendRowsQuery(found.connection, life, 7, { limit: 5 });
      expect({ life, ...rows[0] }).toEqual(entity.parse({ Item } as never).data);
      expect(more).toBe(true);
    }
    const nothing = await sendRowsQuery(notingConnection().connection, life, 7, { limit: 5 });
    expect(nothing).toEqual({ rows: [], more: false });
  });
});
