import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { afterEach, expect, test, vi } from "vitest";
import type { StreamHandler } from "../../packages/local/src/deliver.ts";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { type PumpOptions, startPump } from "../../packages/local/src/pump.ts";
import { startStore } from "../../packages/local/src/store.ts";
import { ensureTable, loadStreamArn } from "../../packages/local/src/table.ts";
import { createTestTable } from "../support/test-table.ts";

type Place = { client: DynamoDBClient; endpoint: string; tableName: string };

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test("the pump delivers only inserts of batches, in order and in Lambda's form", async () => {
  const place = await createTestTable();
  const { seen, records } = recorder();
  await startTestPump(place, { handler: seen });
  await put(place, "CHECKPOINT");
  for (let first = 1; first <= 120; first++) await put(place, sequenceKey(first));
  await remove(place, sequenceKey(1));
  await put(place, sequenceKey(2));
  await put(place, sequenceKey(121));

  await vi.waitFor(() => expect(records.at(-1)?.key).toBe(sequenceKey(121)), WAIT);
  expect(records.map(({ key }) => key)).toEqual(range(1, 121).map(sequenceKey));
  expect(records[0]?.record).toMatchObject({
    eventName: "INSERT",
    eventSource: "aws:dynamodb",
    eventSourceARN: expect.stringContaining(place.tableName),
    dynamodb: { Keys: { pk: { S: "P" }, sk: { S: sequenceKey(1) } }, StreamViewType: "KEYS_ONLY" },
  });
  const sequences = records.map(({ record }) => BigInt(record.dynamodb.SequenceNumber));
  expect(sequences).toEqual(sequences.toSorted((a, b) => (a < b ? -1 : 1)));
});

test("the pump retries a batch from the record that the handler names", async () => {
  const place = await createTestTable();
  const calls: string[][] = [];
  let refusals = 2;
  const handler: StreamHandler = async ({ Records }) => {
    calls.push(Records.map(({ dynamodb }) => dynamodb.Keys.sk?.S ?? ""));
    const bad = Records.find(({ dynamodb }) => dynamodb.Keys.sk?.S === sequenceKey(3));
    if (bad === undefined || refusals-- <= 0) return { batchItemFailures: [] };
    return { batchItemFailures: [{ itemIdentifier: bad.dynamodb.SequenceNumber }] };
  };
  for (let first = 1; first <= 5; first++) await put(place, sequenceKey(first));
  const pump = await startTestPump(place, { handler, start: "TRIM_HORIZON" });

  await vi.waitFor(() => expect(calls.flat().at(-1)).toBe(sequenceKey(5)), WAIT);
  expect(calls[0]).toEqual(range(1, 5).map(sequenceKey));
  expect(calls[1]).toEqual(range(3, 5).map(sequenceKey));
  expect(calls.flat().filter((key) => key === sequenceKey(1))).toHaveLength(1);
  expect(pump.counters).toMatchObject({ failed: 0, retries: 2 });
});

test("the pump gives up a failing record after some attempts and delivers the rest", async () => {
  const place = await createTestTable();
  const { seen, records } = recorder();
  let poisonTries = 0;
  const handler: StreamHandler = async (event) => {
    if (event.Records.some(({ dynamodb }) => dynamodb.Keys.sk?.S === sequenceKey(20))) {
      if (event.Records.length === 1) poisonTries++;
      throw new Error("poison");
    }
    return seen(event);
  };
  const given: unknown[] = [];
  for (let first = 1; first <= 50; first++) await put(place, sequenceKey(first));
  const pump = await startTestPump(place, {
    handler,
    start: "TRIM_HORIZON",
    onFailure: (failed) => given.push(...failed.map(({ dynamodb }) => dynamodb.Keys.sk?.S)),
  });

  await vi.waitFor(() => expect(records.at(-1)?.key).toBe(sequenceKey(50)), WAIT);
  expect(given).toEqual([sequenceKey(20)]);
  expect(poisonTries).toBe(3);
  expect(pump.counters.failed).toBe(1);
  const expected = range(1, 50).filter((first) => first !== 20);
  expect(records.map(({ key }) => key)).toEqual(expected.map(sequenceKey));
});

test("the pump counts a hanging handler as failed and continues", async () => {
  const place = await createTestTable();
  const { seen, records } = recorder();
  const handler: StreamHandler = (event) =>
    event.Records[0]?.dynamodb.Keys.sk?.S === sequenceKey(1) ? new Promise(() => {}) : seen(event);
  const pump = await startTestPump(place, { handler, timeoutMs: 20 });
  await put(place, sequenceKey(1));
  await vi.waitFor(() => expect(pump.counters.failed).toBe(1), WAIT);
  await put(place, sequenceKey(2));

  await vi.waitFor(() => expect(records.map(({ key }) => key)).toEqual([sequenceKey(2)]), WAIT);
});

test("the pump continues where it was after the database was killed and restarted", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "eventledger pump "));
  cleanUps.push(() => rm(dataDir, { recursive: true }));
  const first = await startStore({ dataDir });
  cleanUps.push(() => first.stop());
  const place = await openTable(first.endpoint);
  const { seen, records } = recorder();
  await startTestPump(place, { handler: seen });
  await put(place, sequenceKey(1));
  await vi.waitFor(() => expect(records).toHaveLength(1), WAIT);

  process.kill(first.pid, "SIGKILL");
  await first.ended;
  const second = await startStore({ dataDir, port: first.port });
  cleanUps.push(() => second.stop());
  await put(place, sequenceKey(2));

  await vi.waitFor(() => expect(records).toHaveLength(2), WAIT);
  expect(records.map(({ key }) => key)).toEqual([1, 2].map(sequenceKey));
});

test("the pump follows a table that was created again", async () => {
  const place = await createTestTable();
  const { seen, records } = recorder();
  await startTestPump(place, { handler: seen, discoveryMs: 100 });
  await place.client.send(new DeleteTableCommand({ TableName: place.tableName }));
  await ensureTable(place.client, place.tableName);
  await put(place, sequenceKey(7));

  await vi.waitFor(() => expect(records.map(({ key }) => key)).toEqual([sequenceKey(7)]), WAIT);
});

const WAIT = { timeout: 15_000, interval: 20 };

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const sequenceKey = (first: number) => `SEQ#${String(first).padStart(14, "0")}`;

function recorder() {
  const records: { key: string | undefined; record: Parameters<StreamHandler>[0]["Records"][0] }[] =
    [];
  const seen: StreamHandler = async ({ Records }) => {
    records.push(...Records.map((record) => ({ key: record.dynamodb.Keys.sk?.S, record })));
    return { batchItemFailures: [] };
  };
  return { seen, records };
}

async function startTestPump(
  { client, endpoint, tableName }: Place,
  options: Pick<PumpOptions, "handler"> & Partial<PumpOptions>,
) {
  const pump = await startPump({
    client: new DynamoDBStreamsClient({ ...localAws(endpoint), maxAttempts: 1 }),
    loadStreamArn: () => loadStreamArn(client, tableName),
    pollMs: 20,
    backoffMs: 2,
    triesMax: 3,
    ...options,
  });
  cleanUps.push(() => pump.stop());
  return pump;
}

async function openTable(endpoint: string): Promise<Place> {
  const client = new DynamoDBClient(localAws(endpoint));
  await ensureTable(client, "events");
  return { client, endpoint, tableName: "events" };
}

const put = ({ client, tableName }: Place, sk: string) =>
  client.send(
    new PutItemCommand({ TableName: tableName, Item: { pk: { S: "P" }, sk: { S: sk } } }),
  );

const remove = ({ client, tableName }: Place, sk: string) =>
  client.send(
    new DeleteItemCommand({ TableName: tableName, Key: { pk: { S: "P" }, sk: { S: sk } } }),
  );
