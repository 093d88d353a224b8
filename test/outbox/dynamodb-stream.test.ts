import { randomUUID } from "node:crypto";
import { CreateTableCommand, DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBStreamsClient,
  type _Record as StreamRecord,
} from "@aws-sdk/client-dynamodb-streams";
import { afterAll, expect, inject, it } from "vitest";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { createShards } from "../../packages/local/src/shards.ts";
import { loadStreamArn } from "../../packages/local/src/table.ts";
import { type DynamoRecord, dynamoRelay } from "../../packages/outbox/src/index.ts";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { openStack } from "../sdk/stack.ts";
import { startUnreliableProxy } from "../sdk/unreliable-proxy.ts";
import { seededRandom } from "../simulation/dynamodb/seeded-random.ts";
import { SEED } from "../support/seed.ts";

/**
 * These tests run the relay on a real stream of a real table, with a real ledger and an unreliable
 * network.
 */
const random = seededRandom(SEED);
const { url, adminKey } = await openStack();
const proxy = await startUnreliableProxy(url, random);
afterAll(proxy.stop);
const aws = localAws(inject("dynamoEndpoint"));
const client = new DynamoDBClient(aws);
const streams = new DynamoDBStreamsClient(aws);

const KEYS = 6;
const WRITES = 12;

it(`a stream of a table is published once and in order, read twice, SEED=${SEED}`, async () => {
  const TableName = `orders-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    }),
  );
  const name = `orders-${randomUUID()}`;
  const ledger = new EventLedger({ url: proxy.url, apiKey: adminKey, retry: { attempts: 3 } });
  await ledger.createStream(name);
  const handler = dynamoRelay({
    ledger,
    toEvents: ({ dynamodb }) => {
      const { pk, version } = (dynamodb?.NewImage ?? {}) as Readonly<Record<string, Value>>;
      return [{ stream: name, key: pk?.S ?? "", dataText: version?.N ?? "" }];
    },
  });

  const writing = Promise.all(
    Array.from({ length: KEYS }, async (_, item) => {
      for (let n = 0; n < WRITES; n++) {
        await client.send(
          new UpdateItemCommand({
            TableName,
            Key: { pk: { S: `order-${item}` } },
            UpdateExpression: "ADD version :one",
            ExpressionAttributeValues: { ":one": { N: "1" } },
          }),
        );
      }
    }),
  );
  proxy.setIntensity(0.15);
  const arn = await loadStreamArn(client, TableName);
  // The second pass simulates a mapping that was created again, so each record is delivered again.
  for (let reading = 0; reading < 2; reading++) {
    const shards = createShards(streams, arn, "TRIM_HORIZON");
    const { signal } = new AbortController();
    await shards.discover(signal);
    let seen = 0;
    while (seen < KEYS * WRITES) {
      seen += (await shards.read((records) => invoke(records), signal)).count;
    }
    await writing;
  }
  proxy.setIntensity(0);

  const published = new Map<string, unknown[]>();
  for await (const { key, data } of ledger.stream(name).read()) {
    published.set(key, [...(published.get(key) ?? []), data]);
  }
  const versions = Array.from({ length: WRITES }, (_, n) => n + 1);
  expect(published.size).toBe(KEYS);
  for (const [key, data] of published) expect([key, data]).toEqual([key, versions]);
  expect(proxy.counts["reset-after"] + proxy.counts.cut).toBeGreaterThan(0);

  /**
   * Calls the handler as Lambda does: with batches of any size, and again from the first record
   * that failed.
   */
  async function invoke(records: readonly StreamRecord[]): Promise<void> {
    const all = records.map(asLambdaPassesIt);
    for (let from = 0; from < all.length; ) {
      const Records = all.slice(from, from + random.between(1, 40));
      const { batchItemFailures } = await handler({ Records });
      // Lambda may have lost the answer, and then passes the same records again.
      if (random.chance(0.2)) continue;
      const failed = batchItemFailures[0]?.itemIdentifier;
      const at = all.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed);
      from = failed === undefined ? from + Records.length : at;
    }
  }
}, 120_000);

type Value = { readonly S?: string; readonly N?: string };

function asLambdaPassesIt({ dynamodb, ...record }: StreamRecord): DynamoRecord {
  const created = dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0;
  const passed = { ...dynamodb, ApproximateCreationDateTime: Math.floor(created / 1_000) };
  return { ...record, dynamodb: passed } as unknown as DynamoRecord;
}
