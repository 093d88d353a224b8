import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as lib from "@aws-sdk/lib-dynamodb";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { JavaMissingError } from "../../packages/local/src/stack-error.ts";
import { type Store, startStore } from "../../packages/local/src/store.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { count, saveRecord } from "../proof/record.ts";
import { whereWeAre } from "../proof/where.ts";
import { arbitraryCommand, type Draft } from "../simulation/dynamodb/arbitrary-command.ts";
import { electroScript } from "../simulation/dynamodb/electro-script.ts";
import { createFakeDynamo, type FakeClient } from "../simulation/dynamodb/fake-dynamodb.ts";
import type { Command } from "../simulation/dynamodb/prepare.ts";
import { createTally } from "../simulation/dynamodb/tally.ts";
import { DEPTH } from "../support/depth.ts";
import { createTestTable } from "../support/test-table.ts";

const seed = Number(process.env.TEST_SEED ?? 20_261_123);
const sequences = Number(process.env.TEST_SEQUENCES ?? 6 * DEPTH);
const commandsEach = 45;
const requests = sequences * commandsEach;
/** The file for the counts of the comparison. */
const resultsPath = process.env.TEST_RESULTS;

describe("the fake DynamoDB", () => {
  let real: { client: DynamoDBClient; tableName: string };

  let store: Store | undefined;

  beforeAll(async () => {
    try {
      store = await startStore({ kind: "dynamodb-local" });
    } catch (error) {
      if (!(error instanceof JavaMissingError)) throw error;
      console.log(`Not compared with DynamoDB Local: ${error.message}`);
      return;
    }
    const client = new DynamoDBClient(localAws(store.endpoint));
    real = { client, tableName: `test-${randomUUID()}` };
    await ensureTable(client, real.tableName);
  });
  beforeEach(({ skip }) => skip(store === undefined, "DynamoDB Local needs Java"));
  afterAll(async () => {
    real?.client.destroy();
    await store?.stop();
  });

  it(
    `the fake answers ${requests} random requests as DynamoDB Local does`,
    async () => {
      const tally = createTally();
      const drafts = fc.array(arbitraryCommand, {
        minLength: commandsEach,
        maxLength: commandsEach,
      });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(drafts, async (sequence) => {
          run += 1;
          // DynamoDB Local shares request tokens between tables, so the prefix is unique to the
          // test.
          const prefix = `${real.tableName.slice(-8)}-${run}`;
          for (const name of await compareSequence(sequence, real, prefix)) tally.add(name);
        }),
        { seed, numRuns: sequences, endOnFailure: process.env.TEST_SHRINK === undefined },
      );
      expect(Object.keys(tally.all())).toEqual(expect.arrayContaining(covered));
      if (resultsPath === undefined) return;
      const said = {
        part: "The fake beside DynamoDB Local",
        ran: count(requests, "random request"),
        found: "no difference",
      };
      const figures = { seed, requests, differences: 0, outcomes: tally.all() };
      saveRecord(resultsPath, said, figures, whereWeAre());
    },
    60_000 + requests * 20,
  );

  it("the fake cuts pages at the item that crosses 1 MiB, as DynamoDB Local does", async () => {
    const { tableName } = real;
    const fake = createFakeDynamo({ tableName }).client();
    for (let index = 0; index < 9; index++) {
      const pad = "x".repeat(index === 4 ? 131_072 : 150_000);
      const put = new lib.PutCommand({ TableName: tableName, Item: { ...pageKey(index), pad } });
      await real.client.send(put);
      await fake.send(put);
    }
    for (const forward of [true, false]) {
      let start: unknown;
      do {
        const command = pageQuery(tableName, forward, start);
        const expected = await outcome(() => real.client.send(command));
        expect(await outcome(() => fake.send(command))).toEqual(expected);
        start = expected.LastEvaluatedKey;
      } while (start !== undefined);
    }
  });

  it("the fake gives ElectroDB the same results as DynamoDB Local", async () => {
    const { client, tableName } = real;
    const fake = createFakeDynamo({ tableName });
    const [expected, found] = [
      await electroScript(client, tableName),
      await electroScript(fake.client(), tableName),
    ];
    expect(found).toEqual(expected);
    expect(fake.refusals).toEqual([]);
    expect(expected.length).toBeGreaterThan(40);
  });
});

/**
 * The other suites use the platform's default store. This test compares that store with the fake.
 */
describe("the store of this run", () => {
  it("the store gives ElectroDB the same results as the fake", async () => {
    const { client, tableName } = await createTestTable();
    const found = await electroScript(client, tableName);
    const expected = await electroScript(createFakeDynamo({ tableName }).client(), tableName);
    expect(withOpenCursors(found)).toEqual(withOpenCursors(expected));
    client.destroy();
  });

  it("the store ends a page of 150 KB items after 1 MiB, in both directions, and skips none", async () => {
    const { client, tableName } = await createTestTable();
    const names = Array.from({ length: 9 }, (_, index) => `SEQ#${index}`);
    for (const sk of names) {
      const Item = { pk: "pages", sk, pad: "x".repeat(150_000) };
      await client.send(new lib.PutCommand({ TableName: tableName, Item }));
    }
    for (const forward of [true, false]) {
      const pages: string[][] = [];
      let start: unknown;
      do {
        const page = await outcome(() => client.send(pageQuery(tableName, forward, start)));
        pages.push((page.Items as { sk: string }[]).map(({ sk }) => sk));
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
      expect(pages.flat()).toEqual(forward ? names : names.toReversed());
      // DynamoDB Local stops before the item that crosses 1 MiB, and dynoxide stops after it.
      expect([6, 7]).toContain(pages[0]?.length);
    }
    client.destroy();
  });
});

/**
 * Decodes ElectroDB's cursors, which are Base64 of a key. Stores list the members of a key in
 * different orders.
 */
const withOpenCursors = (lines: unknown): unknown =>
  JSON.parse(JSON.stringify(lines), (name, value: unknown) =>
    name === "cursor" && typeof value === "string"
      ? JSON.parse(Buffer.from(value, "base64").toString())
      : value,
  );

/** The random requests must have covered these cases, or the comparison proves little. */
const covered = [
  "put.ok",
  "put.ConditionalCheckFailedException",
  "put.ValidationException",
  "update.ok",
  "update.ConditionalCheckFailedException",
  "update.ValidationException",
  "delete.ok",
  "delete.ConditionalCheckFailedException",
  "get.ok",
  "query.ok",
  "query.ValidationException",
  "batchGet.ok",
  "batchWrite.ok",
  "batchWrite.ValidationException",
  "transactGet.ok",
  "transactWrite.ok",
  "transactWrite.TransactionCanceledException",
  "transactWrite.IdempotentParameterMismatchException",
];

const pageKey = (index: number) => ({ pk: "pages", sk: `SEQ#${index}` });

const pageQuery = (TableName: string, forward: boolean, start: unknown) =>
  new lib.QueryCommand({
    TableName,
    KeyConditionExpression: "#pk = :pk",
    ExpressionAttributeNames: { "#pk": "pk" },
    ExpressionAttributeValues: { ":pk": "pages" },
    ScanIndexForward: forward,
    ReturnConsumedCapacity: "TOTAL",
    ...(start !== undefined && { ExclusiveStartKey: start as Record<string, string> }),
  });

type Real = { readonly client: DynamoDBClient; readonly tableName: string };

/**
 * Runs one sequence of requests on both stores, from an empty table. Returns the name and the
 * outcome of each request.
 */
const compareSequence = async (
  sequence: readonly Draft[],
  { client, tableName }: Real,
  prefix: string,
): Promise<string[]> => {
  const fake = createFakeDynamo({ tableName, seed: prefix });
  const fakeClient = fake.client();
  const met: string[] = [];
  for (const { label, build } of sequence) {
    const command = build(tableName, prefix);
    const expected = await outcome(() => sendTo(client, command));
    const found = await outcome(() => fakeClient.send(command));
    met.push(`${label}.${typeof expected.name === "string" ? expected.name : "ok"}`);
    expect(comparable(command, found), described(command)).toEqual(comparable(command, expected));
  }
  expect(fake.refusals).toEqual([]);
  return met;
};

const sendTo = (client: DynamoDBClient, command: Command): Promise<unknown> =>
  (client as FakeClient).send(command);

type Outcome = { readonly [member: string]: unknown };

const outcome = async (send: () => Promise<unknown>): Promise<Outcome> => {
  try {
    const { $metadata: _, ...reply } = (await send()) as Record<string, unknown>;
    return reply;
  } catch (error) {
    const { name, Item, CancellationReasons } = error as Record<string, unknown>;
    return { name, Item, CancellationReasons };
  }
};

const described = (command: Command): string =>
  `${command.constructor.name} ${JSON.stringify(command.input, (_, value: unknown) =>
    value instanceof Set ? ["set", ...value] : value,
  ).slice(0, 2000)}`;

/** Removes from an outcome what has no order, and what DynamoDB Local does differently from AWS. */
const comparable = (command: Command, outcome: Outcome): Outcome => {
  const { ConsumedCapacity, CancellationReasons: reasons, Responses, ...rest } = outcome;
  if (Array.isArray(reasons)) {
    // AWS reports an update that does not fit its item among the reasons. DynamoDB Local does not.
    if (reasons.some(({ Code }) => Code === "ValidationError")) {
      return { name: "ValidationException", Item: undefined };
    }
    return { ...rest, reasons: reasons.map(({ Message: _, ...reason }) => reason) };
  }
  const found = isBatch(Responses) ? Object.values(Responses).flat().sort(byKey) : Responses;
  const answer = found === undefined ? rest : { ...rest, found };
  return isPricedAsOnAws(command, outcome) ? { ...answer, ConsumedCapacity } : answer;
};

type Key = { readonly pk: string; readonly sk: string };

/**
 * Recognises the answer to a batch. It is grouped by table and unordered, while the answer to a
 * transaction is a list.
 */
const isBatch = (responses: unknown): responses is Record<string, Key[]> =>
  responses !== undefined && !Array.isArray(responses);

/**
 * Returns whether DynamoDB Local charges a request as AWS does. It charges nothing for an empty
 * page and for an absent item of a batch. It charges twice for a delete in a batch. It adds up the
 * parts of a transaction differently.
 */
const isPricedAsOnAws = ({ input }: Command, outcome: Outcome): boolean => {
  if (outcome.ScannedCount === 0) return false;
  const { RequestItems, TransactItems } = input as {
    RequestItems?: Record<string, unknown>;
    TransactItems?: readonly object[];
  };
  if (RequestItems !== undefined) {
    const isWrite = Object.values(RequestItems).some(Array.isArray);
    return isWrite && !JSON.stringify(RequestItems).includes('"DeleteRequest"');
  }
  const [first = {}, ...others] = TransactItems ?? [];
  if ("Get" in first) return true;
  return others.length === 0 && !("Delete" in first) && !("ConditionCheck" in first);
};

const byKey = (a: Key, b: Key): number => (`${a.pk} ${a.sk}` < `${b.pk} ${b.sk}` ? -1 : 1);
