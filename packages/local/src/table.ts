import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { StackError } from "./stack-error.ts";

/** The definition of the table in every environment. A test compares the deployed table with it. */
export const TABLE = {
  keys: { pk: "S", sk: "S" },
  hashKey: "pk",
  rangeKey: "sk",
  billingMode: "PAY_PER_REQUEST",
  /** The stream only signals that something changed, so it carries keys and no data. */
  streamView: "KEYS_ONLY",
  /** The time to live, in seconds since 1970. */
  timeToLiveAttribute: "expiresAt",
} as const;

/**
 * Makes sure that the table exists and is active. Creates it when it is absent. Throws `StackError`
 * when a table of that name has different keys or a different stream. Safe to repeat and to run
 * concurrently.
 */
export async function ensureTable(client: DynamoDBClient, tableName: string): Promise<void> {
  const found = (await describe(client, tableName)) ?? (await create(client, tableName));
  assertShape(found, tableName);
  const { TimeToLiveDescription: ttl } = await client.send(
    new DescribeTimeToLiveCommand({ TableName: tableName }),
  );
  if (ttl?.AttributeName === TABLE.timeToLiveAttribute) return;
  const specification = { AttributeName: TABLE.timeToLiveAttribute, Enabled: true };
  await client.send(
    new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification: specification }),
  );
}

/** Returns the ARN of the table's stream, for the pump. */
export async function loadStreamArn(client: DynamoDBClient, tableName: string): Promise<string> {
  const arn = (await describe(client, tableName))?.LatestStreamArn;
  if (arn === undefined) throw new StackError(`The table "${tableName}" has no stream.`);
  return arn;
}

const createInput = (tableName: string): CreateTableCommandInput => ({
  TableName: tableName,
  AttributeDefinitions: [
    { AttributeName: TABLE.hashKey, AttributeType: TABLE.keys.pk },
    { AttributeName: TABLE.rangeKey, AttributeType: TABLE.keys.sk },
  ],
  KeySchema: [
    { AttributeName: TABLE.hashKey, KeyType: "HASH" },
    { AttributeName: TABLE.rangeKey, KeyType: "RANGE" },
  ],
  BillingMode: TABLE.billingMode,
  StreamSpecification: { StreamEnabled: true, StreamViewType: TABLE.streamView },
});

async function create(client: DynamoDBClient, tableName: string): Promise<TableDescription> {
  try {
    await client.send(new CreateTableCommand(createInput(tableName)));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  for (let attempt = 0; attempt < ACTIVE_TRIES; attempt++) {
    const table = await describe(client, tableName);
    if (table?.TableStatus === "ACTIVE") return table;
    await sleep(ACTIVE_POLL_MS);
  }
  throw new StackError(`The table "${tableName}" did not become active within 20 s.`);
}

const ACTIVE_TRIES = 200;
const ACTIVE_POLL_MS = 100;

async function describe(
  client: DynamoDBClient,
  tableName: string,
): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: tableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function assertShape(table: TableDescription, tableName: string): void {
  const keys = (table.KeySchema ?? []).map((key) => key.AttributeName).join();
  const view = table.StreamSpecification?.StreamViewType;
  if (keys === `${TABLE.hashKey},${TABLE.rangeKey}` && view === TABLE.streamView) return;
  throw new StackError(
    `The table "${tableName}" is not EventLedger's (keys ${keys || "none"}, stream ` +
      `${view ?? "none"}): choose another table with TABLE_NAME.`,
  );
}
