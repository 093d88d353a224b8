import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Life } from "../model/names.ts";
import type { CompactedRow, Version } from "./compacted-row.ts";
import type { Connection } from "./connection.ts";

/**
 * The queries for compacted rows, written by hand, because a snapshot reads many thousands of them
 * in a row. `compactedEntity` describes the row, and a test compares these requests with
 * ElectroDB's.
 */

const BUCKET_DIGITS = 2;

export const pkOf = (life: Life, bucket: number): string =>
  `STREAM#${life}#COMPACT#${String(bucket).padStart(BUCKET_DIGITS, "0")}`;
export const skOf = (key: string): string => `KEY#${key}`;

type Client = { send(command: object): Promise<unknown> };

/** The rows of a bucket that a query returns: after the key `after`, or from the key `from`. */
export type CompactedRange = {
  readonly after?: string | undefined;
  readonly from?: string | undefined;
  readonly limit: number;
};

/** The members of a stored row that the query does not name. */
type StoredRow = {
  readonly k: string;
  readonly p: number;
  readonly s: number;
  readonly t: number;
  readonly x?: true;
  readonly d?: Uint8Array;
  readonly r: number;
  readonly expiresAt?: number;
  readonly o?: number;
  readonly v?: readonly Version[];
};
type Found = { readonly Items?: readonly StoredRow[]; readonly LastEvaluatedKey?: object };

/** The members of a strongly consistent query for rows of a bucket. */
export const rowsRequest = (
  table: string,
  life: Life,
  bucket: number,
  { after, from, limit }: CompactedRange,
) => {
  const [condition, first] =
    after === undefined
      ? from === undefined
        ? ["begins_with(#sk1, :sk1)", ""]
        : ["#sk1 >= :sk1", from]
      : ["#sk1 > :sk1", after];
  return {
    TableName: table,
    KeyConditionExpression: `#pk = :pk and ${condition}`,
    ExpressionAttributeNames: { "#pk": "pk", "#sk1": "sk" },
    ExpressionAttributeValues: { ":pk": pkOf(life, bucket), ":sk1": skOf(first) },
    ConsistentRead: true,
    Limit: limit,
  };
};

/** Sends such a query once. `more` is true if the bucket may continue. */
export async function sendRowsQuery(
  { client, table }: Connection,
  life: Life,
  bucket: number,
  range: CompactedRange,
): Promise<{ rows: CompactedRow[]; more: boolean }> {
  const command = new QueryCommand(rowsRequest(table, life, bucket, range));
  const { Items = [], LastEvaluatedKey } = (await (client as Client).send(command)) as Found;
  return { rows: Items.map((row) => toRow(row, bucket)), more: LastEvaluatedKey !== undefined };
}

const toRow = (
  { k, p, s, t, x, d, r, expiresAt, o, v }: StoredRow,
  bucket: number,
): CompactedRow => ({
  key: k,
  bucket,
  partition: p,
  sequence: s,
  publishedAt: t,
  ...(x === undefined ? {} : { deleted: x }),
  ...(d === undefined ? {} : { payload: d }),
  rawBytes: r,
  ...(expiresAt === undefined ? {} : { expiresAt }),
  ...(o === undefined ? {} : { formerBytes: o }),
  ...(v === undefined ? {} : { between: v }),
});
