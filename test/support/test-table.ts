import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { inject } from "vitest";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";

/**
 * Creates a table that no other test uses, in the database that the run shares. The table ends with
 * the run.
 */
export async function createTestTable(): Promise<{
  client: DynamoDBClient;
  endpoint: string;
  tableName: string;
}> {
  const endpoint = inject("dynamoEndpoint");
  const client = new DynamoDBClient(localAws(endpoint));
  const tableName = `test-${randomUUID()}`;
  await ensureTable(client, tableName);
  return { client, endpoint, tableName };
}
