import { PutCommand, QueryCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import type { Life } from "../model/names.ts";
import type { CompactedRow } from "./compacted-row.ts";
import type { Connection } from "./connection.ts";
import type { Written } from "./transaction.ts";

/**
 * The requests for compacted rows, written by hand, because compaction writes and a snapshot reads
 * many thousands of them in a row. `compactedEntity` describes the row, and a test compares these
 * requests with ElectroDB's.
 */

const BUCKET_DIGITS = 2;

const pkOf = (life: Life, bucket: number): string =>
  `STREAM#${life}#COMPACT#${String(bucket).padStart(BUCKET_DIGITS, "0")}`;
const skOf = (key: string): string => `KEY#${key}`;

/** The members of a put that fails where a row exists that is at least as new. */
export const putIfNewerRequest = (table: string, life: Life, row: CompactedRow) => ({
  TableName: table,
  Item: {
    l: life,
    b: row.bucket,
    k: row.key,
    p: row.partition,
    s: row.sequence,
    t: row.publishedAt,
    ...(row.deleted === undefined ? {} : { x: row.deleted }),
    ...(row.payload === undefined ? {} : { d: row.payload }),
    r: row.rawBytes,
    ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }),
    pk: pkOf(life, row.bucket),
    sk: skOf(row.key),
    _e: "compacted",
    _v: "1",
  },
  ConditionExpression: "attribute_not_exists(#sequence) OR #sequence < :sequence0",
  ExpressionAttributeNames: { "#sequence": "s" },
  ExpressionAttributeValues: { ":sequence0": row.sequence },
});

type Client = { send(command: object): Promise<unknown> };
type Refused = {
  readonly name: string;
  readonly CancellationReasons?: readonly { Code?: string }[];
};

/** Sends a put once. A stored row that is at least as new stays. Throws any other error. */
export async function sendPutIfNewer(
  { client, table }: Connection,
  life: Life,
  row: CompactedRow,
): Promise<void> {
  try {
    await (client as Client).send(new PutCommand(putIfNewerRequest(table, life, row)));
  } catch (error) {
    if ((error as Refused).name !== "ConditionalCheckFailedException") throw error;
  }
}

/**
 * Sends the puts of several rows in one transaction, once. Returns the reasons of a cancellation,
 * one for each row. Throws any other error.
 */
export async function sendPutsIfNewer(
  { client, table }: Connection,
  life: Life,
  rows: readonly CompactedRow[],
): Promise<Written> {
  const TransactItems = rows.map((row) => ({ Put: putIfNewerRequest(table, life, row) }));
  try {
    await (client as Client).send(new TransactWriteCommand({ TransactItems }));
    return { canceled: false, data: [] };
  } catch (error) {
    const { name, CancellationReasons } = error as Refused;
    if (name !== "TransactionCanceledException" || CancellationReasons === undefined) throw error;
    return {
      canceled: true,
      data: CancellationReasons.map(({ Code = "None" }) => ({ code: Code })),
    };
  }
}

/** The rows of a bucket that a query returns: after the key `after`, or from the key `from`. */
export type CompactedRange = {
  readonly after?: string | undefined;
  readonly from?: string | undefined;
  readonly limit: number;
};

/** A stored row without the members that the query names. */
type StoredRow = {
  readonly k: string;
  readonly p: number;
  readonly s: number;
  readonly t: number;
  readonly x?: true;
  readonly d?: Uint8Array;
  readonly r: number;
  readonly expiresAt?: number;
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
    ExpressionAttributeNames: ROW_NAMES,
    ExpressionAttributeValues: { ":pk": pkOf(life, bucket), ":sk1": skOf(first) },
    ProjectionExpression: "#k, #p, #s, #t, #x, #d, #r, #expiresAt",
    ConsistentRead: true,
    Limit: limit,
  };
};

const ROW_NAMES = {
  "#pk": "pk",
  "#sk1": "sk",
  "#k": "k",
  "#p": "p",
  "#s": "s",
  "#t": "t",
  "#x": "x",
  "#d": "d",
  "#r": "r",
  "#expiresAt": "expiresAt",
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

const toRow = ({ k, p, s, t, x, d, r, expiresAt }: StoredRow, bucket: number): CompactedRow => ({
  key: k,
  bucket,
  partition: p,
  sequence: s,
  publishedAt: t,
  ...(x === undefined ? {} : { deleted: x }),
  ...(d === undefined ? {} : { payload: d }),
  rawBytes: r,
  ...(expiresAt === undefined ? {} : { expiresAt }),
});
