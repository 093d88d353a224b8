import { PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { Life } from "../model/names.ts";
import type { Batch, ClaimedRun } from "./batch.ts";
import type { Connection } from "./connection.ts";

/**
 * The requests for record batches, written by hand. Most rows that the product writes and reads are
 * batches, and ElectroDB's checks and stack traces would take longer than all other work on them.
 * `batchEntity` describes the row, and a test compares these requests and rows with ElectroDB's.
 */

/** A stored batch. The names are short, because every row pays for them. */
type StoredBatch = {
  readonly f: number;
  readonly n: number;
  readonly b: Uint8Array;
  readonly t: number;
  readonly k?: "seal" | "turn" | "jump";
  readonly r: number;
  readonly d: Uint8Array;
  readonly expiresAt?: number;
  readonly u?: number;
  readonly q?: number;
  readonly w?: number;
  readonly c?: readonly ClaimedRun[];
};

/**
 * Enough digits for a million events a second for three years. A fixed width lets numbers sort as
 * text.
 */
export const SEQUENCE_DIGITS = 14;

const pkOf = (life: Life, partition: number): string => `STREAM#${life}#P${partition}`;
const skOf = (first: number): string => `SEQ#${String(first).padStart(SEQUENCE_DIGITS, "0")}`;

/** Whether only the place and times of a batch are read, or its events too. */
type Projection = "outline" | "whole";

/** The batches that a query returns: from `from` to `to`, in ascending or descending order. */
export type BatchQuery = {
  readonly life: Life;
  readonly partition: number;
  readonly from: number;
  readonly to?: number;
  readonly limit: number;
  readonly order?: "desc";
  readonly projection: Projection;
};

/** Returns the parameters of a put that fails where a row exists, and then returns that row. */
export const putRequest = (table: string, life: Life, partition: number, batch: Batch) => ({
  TableName: table,
  Item: {
    l: life,
    p: partition,
    f: batch.first,
    n: batch.count,
    b: batch.batchId,
    t: batch.publishedAt,
    ...(batch.kind === undefined ? {} : { k: batch.kind }),
    r: batch.rawBytes,
    d: batch.payload,
    ...(batch.expiresAt === undefined ? {} : { expiresAt: batch.expiresAt }),
    ...(batch.keptUntil === undefined ? {} : { u: batch.keptUntil }),
    ...(batch.ticket === undefined ? {} : { q: batch.ticket }),
    ...(batch.free === undefined ? {} : { w: batch.free }),
    ...(batch.claims === undefined ? {} : { c: batch.claims }),
    pk: pkOf(life, partition),
    sk: skOf(batch.first),
    _e: "batch",
    _v: "1",
  },
  ConditionExpression: "attribute_not_exists(#pk) AND attribute_not_exists(#sk)",
  ExpressionAttributeNames: { "#pk": "pk", "#sk": "sk" },
  ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
});

const KEY_NAMES = { "#pk": "pk", "#sk1": "sk" };
const OUTLINE_NAMES = { ...KEY_NAMES, "#f": "f", "#n": "n", "#t": "t", "#k": "k" };
const OUTLINE = {
  ExpressionAttributeNames: {
    ...OUTLINE_NAMES,
    "#expiresAt": "expiresAt",
    "#u": "u",
    "#q": "q",
    "#w": "w",
  },
  ProjectionExpression: "#pk, #sk1, #f, #n, #t, #k, #expiresAt, #u, #q, #w",
};
const WHOLE = { ExpressionAttributeNames: KEY_NAMES };

/** Returns the parameters of a strongly consistent query. */
export const queryRequest = (
  table: string,
  { life, partition, from, to, limit, order, projection }: BatchQuery,
) => ({
  TableName: table,
  ...(projection === "outline" ? OUTLINE : WHOLE),
  KeyConditionExpression:
    to === undefined ? "#pk = :pk and #sk1 >= :sk1" : "#pk = :pk and #sk1 BETWEEN :sk1 AND :sk2",
  ExpressionAttributeValues: {
    ":pk": pkOf(life, partition),
    ":sk1": skOf(from),
    ...(to === undefined ? {} : { ":sk2": skOf(to) }),
  },
  ...(order === "desc" ? { ScanIndexForward: false } : {}),
  ConsistentRead: true,
  Limit: limit,
});

/**
 * Converts a stored row to a batch. From the row of an outline, only the outline's members are
 * defined.
 */
export function toBatch({ f, n, b, t, k, r, d, expiresAt, u, q, w, c }: StoredBatch): Batch {
  return {
    first: f,
    count: n,
    batchId: b,
    publishedAt: t,
    rawBytes: r,
    payload: d,
    ...(k === undefined ? {} : { kind: k }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(u === undefined ? {} : { keptUntil: u }),
    ...(q === undefined ? {} : { ticket: q }),
    ...(w === undefined ? {} : { free: w }),
    ...(c === undefined ? {} : { claims: c }),
  };
}

type Client = { send(command: object): Promise<unknown> };
type Found = { readonly Items?: readonly StoredBatch[]; readonly LastEvaluatedKey?: object };

/** Sends a query once. `more` is true if the table has not examined all rows of the range. */
export async function sendQuery(
  { client, table }: Connection,
  query: BatchQuery,
): Promise<{ batches: Batch[]; more: boolean }> {
  const command = new QueryCommand(queryRequest(table, query));
  const { Items = [], LastEvaluatedKey } = (await (client as Client).send(command)) as Found;
  return { batches: Items.map(toBatch), more: LastEvaluatedKey !== undefined };
}

type Refused = { readonly name: string; readonly Item?: Parameters<typeof unmarshall>[0] };

/**
 * Sends a put once. Returns undefined if the batch is written, and the existing row if there is
 * one. Throws the table's error for any other answer.
 */
export async function sendPut(
  { client, table }: Connection,
  life: Life,
  partition: number,
  batch: Batch,
): Promise<{ readonly obstacle: Batch | undefined } | undefined> {
  try {
    await (client as Client).send(new PutCommand(putRequest(table, life, partition, batch)));
    return undefined;
  } catch (error) {
    const { name, Item } = error as Refused;
    if (name !== "ConditionalCheckFailedException") throw error;
    return { obstacle: Item && toBatch(unmarshall(Item) as StoredBatch) };
  }
}
