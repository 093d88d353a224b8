import { PutCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import type { Life } from "../model/names.ts";
import type { CompactedRow } from "./compacted-row.ts";
import type { Connection } from "./connection.ts";
import type { Written } from "./transaction.ts";

/**
 * The puts of compacted rows, written by hand, because compaction writes many thousands of them in
 * a row. `compactedEntity` describes the row, and a test compares these requests with ElectroDB's.
 */

const BUCKET_DIGITS = 2;

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
    pk: `STREAM#${life}#COMPACT#${String(row.bucket).padStart(BUCKET_DIGITS, "0")}`,
    sk: `KEY#${row.key}`,
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
