import { TransactGetCommand, TransactWriteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { Life } from "../model/names.ts";
import type { CompactedRow, Version } from "./compacted-row.ts";
import type { Versions, VersionsPlan } from "./compacted-versions.ts";
import { pkOf, skOf } from "./compacted-wire.ts";
import type { Connection } from "./connection.ts";

/**
 * The writes of compacted rows, written by hand, because compaction writes many thousands of them
 * in a row, and because a write copies what it replaces. `compactedEntity` describes the row, and a
 * test compares what these requests write with ElectroDB's.
 */

const keyOf = (life: Life, { bucket, key }: Pick<CompactedRow, "bucket" | "key">) => ({
  pk: pkOf(life, bucket),
  sk: skOf(key),
});

/** The content of a row by the names of its attributes. Undefined: the attribute is absent. */
const contentOf = (life: Life, row: CompactedRow): Record<string, unknown> => ({
  l: life,
  b: row.bucket,
  k: row.key,
  p: row.partition,
  s: row.sequence,
  t: row.publishedAt,
  x: row.deleted,
  d: row.payload,
  r: row.rawBytes,
  expiresAt: row.expiresAt,
  _e: "compacted",
  _v: "1",
});

/** Returns an update that sets attributes, and removes those that are undefined. */
function changeOf(attributes: Record<string, unknown>) {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const sets: string[] = [];
  const removals: string[] = [];
  for (const [name, value] of Object.entries(attributes)) {
    names[`#${name}`] = name;
    if (value === undefined) removals.push(`#${name}`);
    else {
      sets.push(`#${name} = :${name}`);
      values[`:${name}`] = value;
    }
  }
  return { names, values, sets, removals };
}

const printChange = (sets: readonly string[], removals: readonly string[]): string =>
  [
    `SET ${sets.join(", ")}`,
    ...(removals.length === 0 ? [] : [`REMOVE ${removals.join(", ")}`]),
  ].join(" ");

/**
 * The members of a write of a row that fails where the checkpoint, which is at `next`, has not
 * passed the stored one. It copies the size of the stored one.
 */
export function replaceRequest(table: string, life: Life, row: CompactedRow, next: number) {
  const { between } = row;
  const change = changeOf({ ...contentOf(life, row), v: between });
  return {
    TableName: table,
    Key: keyOf(life, row),
    UpdateExpression: printChange(
      [...change.sets, "#o = if_not_exists(#r, :none)"],
      change.removals,
    ),
    ConditionExpression: "attribute_not_exists(#s) OR #s < :next",
    ExpressionAttributeNames: { ...change.names, "#o": "o" },
    ExpressionAttributeValues: { ...change.values, ":none": 0, ":next": next },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
}

/** The members of a write over a row that is `stored`. It fails if another run has changed it. */
export function mergeRequest(
  table: string,
  life: Life,
  row: CompactedRow,
  stored: Versions,
  { isNewer, formerBytes, between = [] }: VersionsPlan,
) {
  const versions = { o: formerBytes, v: between.length === 0 ? undefined : between };
  const change = changeOf(isNewer ? { ...contentOf(life, row), ...versions } : versions);
  const same = stored.between === undefined ? "attribute_not_exists(#v)" : "#v = :was";
  return {
    TableName: table,
    Key: keyOf(life, row),
    UpdateExpression:
      change.sets.length === 0
        ? `REMOVE ${change.removals.join(", ")}`
        : printChange(change.sets, change.removals),
    ConditionExpression: `#s = :seen AND ${same}`,
    ExpressionAttributeNames: { ...change.names, "#s": "s", "#v": "v" },
    ExpressionAttributeValues: {
      ...change.values,
      ":seen": stored.sequence,
      ...(stored.between === undefined ? {} : { ":was": stored.between }),
    },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
}

type Client = { send(command: object): Promise<unknown> };
type Marshalled = Parameters<typeof unmarshall>[0];
type StoredRow = {
  readonly s: number;
  readonly r: number;
  readonly o?: number;
  readonly v?: readonly Version[];
};

const toVersions = ({ s, r, o, v }: StoredRow): Versions => ({
  sequence: s,
  rawBytes: r,
  ...(o === undefined ? {} : { formerBytes: o }),
  ...(v === undefined ? {} : { between: v }),
});

/** A store may describe an item that does not exist by an empty one. */
const toStored = (item: Partial<StoredRow> | undefined): Versions | undefined =>
  item?.s === undefined ? undefined : toVersions(item as StoredRow);

const unpack = (item: Marshalled | undefined): Versions | undefined =>
  toStored(item && (unmarshall(item) as StoredRow));

/** `written` has the replaced row, if there was one. `refused` has the stored row, if known. */
export type Sent =
  | { readonly kind: "written"; readonly former: Versions | undefined }
  | { readonly kind: "refused"; readonly stored: Versions | undefined };

type Request = ReturnType<typeof replaceRequest> | ReturnType<typeof mergeRequest>;

/** Sends a write of a row once. Throws every error that is not a verdict. */
export async function sendRow({ client }: Connection, request: Request): Promise<Sent> {
  try {
    const command = new UpdateCommand({ ...request, ReturnValues: "ALL_OLD" });
    const { Attributes } = (await (client as Client).send(command)) as { Attributes?: StoredRow };
    return { kind: "written", former: toStored(Attributes) };
  } catch (error) {
    const { name, Item } = error as { name: string; Item?: Marshalled };
    if (name !== "ConditionalCheckFailedException") throw error;
    return { kind: "refused", stored: unpack(Item) };
  }
}

type Refused = {
  readonly name: string;
  readonly CancellationReasons?: readonly { Code?: string; Item?: Marshalled }[];
};

/**
 * Sends the writes of several rows in one transaction, once. Returns the reasons of a cancellation,
 * one for each row. Throws any other error.
 */
export async function sendRows(
  { client, table }: Connection,
  life: Life,
  rows: readonly CompactedRow[],
  next: number,
) {
  const TransactItems = rows.map((row) => ({ Update: replaceRequest(table, life, row, next) }));
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

/** Reads what several rows say about their versions, in one snapshot, once. */
export async function readVersions(
  { client, table }: Connection,
  life: Life,
  rows: readonly CompactedRow[],
): Promise<(Versions | undefined)[]> {
  const TransactItems = rows.map((row) => ({
    Get: {
      TableName: table,
      Key: keyOf(life, row),
      ProjectionExpression: "#s, #r, #o, #v",
      ExpressionAttributeNames: { "#s": "s", "#r": "r", "#o": "o", "#v": "v" },
    },
  }));
  const { Responses = [] } = (await (client as Client).send(
    new TransactGetCommand({ TransactItems }),
  )) as { Responses?: readonly { Item?: StoredRow }[] };
  return rows.map((_, index) => toStored(Responses[index]?.Item));
}
