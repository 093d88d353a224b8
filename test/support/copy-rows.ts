import {
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  type DynamoDBClient,
  ScanCommand,
  type ScanCommandOutput,
} from "@aws-sdk/client-dynamodb";

/** A row in the table's form. */
export type StoredRow = NonNullable<ScanCommandOutput["Items"]>[number];

type Request = NonNullable<BatchWriteItemCommandInput["RequestItems"]>[string][number];

const BATCH = 25;

/** Returns all rows of a table, as in a backup of a quiet table. */
export async function copyRows(client: DynamoDBClient, tableName: string): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  let from: ScanCommandOutput["LastEvaluatedKey"];
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: tableName, ConsistentRead: true, ExclusiveStartKey: from }),
    );
    rows.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return rows;
}

/** Puts rows into a table. */
export const putRows = (client: DynamoDBClient, tableName: string, rows: readonly StoredRow[]) =>
  write(
    client,
    tableName,
    rows.map((Item) => ({ PutRequest: { Item } })),
  );

/** Replaces the content of a table by a copy. */
export async function putBack(
  client: DynamoDBClient,
  tableName: string,
  rows: readonly StoredRow[],
): Promise<void> {
  const present = await copyRows(client, tableName);
  await write(
    client,
    tableName,
    present.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } as StoredRow } })),
  );
  await putRows(client, tableName, rows);
}

async function write(
  client: DynamoDBClient,
  tableName: string,
  requests: readonly Request[],
): Promise<void> {
  for (let open = [...requests]; open.length > 0; ) {
    const batch = open.slice(0, BATCH);
    const { UnprocessedItems = {} } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [tableName]: batch } }),
    );
    open = [...(UnprocessedItems[tableName] ?? []), ...open.slice(BATCH)];
  }
}
