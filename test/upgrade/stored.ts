import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  ScanCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { ensureTable, TABLE } from "../../packages/local/src/table.ts";
import type { LaterNotes } from "./later.ts";
import type { Notes } from "./story.ts";

/** The rows that the code of a commit wrote during the story. */
export type Stored = {
  readonly commit: string;
  /** Streams name their table, and in another one they are copies. The first release did not. */
  readonly tableName?: string;
  readonly recordedAtMs: number;
  readonly notes: Notes;
  /** Absent in the record of the first release. */
  readonly later?: LaterNotes;
  readonly rows: readonly Record<string, AttributeValue>[];
};

/** It knows none of the features of later.ts. */
export const FIRST_RELEASE = "ff8dd76";

const dir = path.join(import.meta.dirname, "rows");

export const storedCommits = (): string[] =>
  readdirSync(dir).map((name) => path.basename(name, ".json"));

/** Writes one row per line, so that two records can be compared. */
export function saveStored({ rows, ...rest }: Stored): void {
  const lines = rows.map((row) => JSON.stringify(row, binaryOut)).sort();
  const head = JSON.stringify(rest, null, 1).replace(/\n\}$/, "");
  const text = `${head},\n "rows": [\n${lines.join(",\n")}\n]}\n`;
  writeFileSync(path.join(dir, `${rest.commit}.json`), text);
}

export const loadStored = (commit: string): Stored =>
  JSON.parse(readFileSync(path.join(dir, `${commit}.json`), "utf8"), binaryIn);

export async function scanRows(
  client: DynamoDBClient,
  tableName: string,
): Promise<Record<string, AttributeValue>[]> {
  const rows: Record<string, AttributeValue>[] = [];
  let start: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({ TableName: tableName, ...(start ? { ExclusiveStartKey: start } : {}) }),
    );
    rows.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return rows;
}

/** Creates a table with these rows, which keeps them although they have expired. */
export async function putRows(
  client: DynamoDBClient,
  tableName: string,
  rows: Stored["rows"],
): Promise<void> {
  await ensureTable(client, tableName);
  const TimeToLiveSpecification = { AttributeName: TABLE.timeToLiveAttribute, Enabled: false };
  await client.send(new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification }));
  for (let at = 0; at < rows.length; at += 25) {
    const requests = rows.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } }));
  }
}

function binaryOut(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const raw = this[name];
  return raw instanceof Uint8Array ? { base64: Buffer.from(raw).toString("base64") } : value;
}

const binaryIn = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && "base64" in value
    ? new Uint8Array(Buffer.from(String(value.base64), "base64"))
    : value;
