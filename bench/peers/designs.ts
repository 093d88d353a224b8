import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { localAws } from "../../packages/local/src/local-aws.ts";
import type { Backend, Event } from "./front.ts";

/**
 * Two obvious designs of a log on the table. Both give each event a number and a row.
 *
 * `counter` takes numbers from a counter, and then puts the rows. A process that dies in between
 * leaves a gap that no reader can distinguish from late events. `transaction` moves the counter and
 * puts the rows together, so there is no gap, but writers of one stream collide.
 */
export type Design = "counter" | "transaction";

const TABLE = "bench";
const COUNTER = { pk: { S: "bench" }, sk: { S: "counter" } };
const BATCH_MAX = 25;
const TRANSACTION_MAX = 99;
const PAUSE_MS = 5;

const rowOf = ({ text }: Event, n: number) => ({
  pk: { S: "bench" },
  sk: { S: `event#${String(n).padStart(15, "0")}` },
  event: { S: text },
});

export function openDesign(design: Design, client: DynamoDBClient): Backend {
  return { append: design === "counter" ? byCounter(client) : byTransaction(client) };
}

const byCounter = (client: DynamoDBClient) => async (events: readonly Event[]) => {
  const { Attributes } = await client.send(
    new UpdateItemCommand({
      TableName: TABLE,
      Key: COUNTER,
      UpdateExpression: "ADD #last :count",
      ExpressionAttributeNames: { "#last": "last" },
      ExpressionAttributeValues: { ":count": { N: String(events.length) } },
      ReturnValues: "UPDATED_NEW",
    }),
  );
  const first = Number(Attributes?.last?.N) - events.length + 1;
  const rows = events.map((event, index) => rowOf(event, first + index));
  const [only] = rows;
  if (only !== undefined && rows.length === 1) {
    await client.send(new PutItemCommand({ TableName: TABLE, Item: only }));
    return;
  }
  await Promise.all(
    chunks(rows, BATCH_MAX).map(async (some) => {
      const puts = some.map((Item) => ({ PutRequest: { Item } }));
      const command = new BatchWriteItemCommand({ RequestItems: { [TABLE]: puts } });
      const { UnprocessedItems = {} } = await client.send(command);
      if (Object.keys(UnprocessedItems).length > 0) throw new Error("rows were not written");
    }),
  );
};

const byTransaction = (client: DynamoDBClient) => async (events: readonly Event[]) => {
  for (const some of chunks(events, TRANSACTION_MAX)) {
    while (!(await tryTransaction(client, some))) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS));
    }
  }
};

async function tryTransaction(client: DynamoDBClient, events: readonly Event[]): Promise<boolean> {
  const read = { TableName: TABLE, Key: COUNTER, ConsistentRead: true };
  const { Item } = await client.send(new GetItemCommand(read));
  const last = Item?.last?.N ?? "0";
  const move = {
    TableName: TABLE,
    Key: COUNTER,
    UpdateExpression: "SET #last = :next",
    ConditionExpression: "attribute_not_exists(#last) OR #last = :last",
    ExpressionAttributeNames: { "#last": "last" },
    ExpressionAttributeValues: {
      ":last": { N: last },
      ":next": { N: String(Number(last) + events.length) },
    },
  };
  const puts = events.map((event, index) => ({
    Put: {
      TableName: TABLE,
      Item: rowOf(event, Number(last) + 1 + index),
      ConditionExpression: "attribute_not_exists(pk)",
    },
  }));
  try {
    await client.send(
      new TransactWriteItemsCommand({ TransactItems: [{ Update: move }, ...puts] }),
    );
    return true;
  } catch (error) {
    if (error instanceof TransactionCanceledException) return false;
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size));
}

export const clientOf = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient(localAws(endpoint));
