import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  type AttributeValue,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { OPERATIONS } from "../../infra/operations.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { evaluate, SECRETS } from "./evaluate.ts";
import { type GuardedDynamo, guardDynamo } from "./guarded-dynamo.ts";
import { apiGatewayEvent } from "./http-event.ts";
import type { Inventory } from "./inventory.ts";
import { invoke } from "./invoke.ts";

/**
 * These tests check least privilege in both directions on the deployed bundles. Each bundle runs
 * against a database that executes what the function's role allows and refuses the rest. At the end
 * the bundle must have used every permission. The contract suites on the local stack enforce the
 * same lists.
 */
const ROLES = {
  router: ["Router", "RouterRole"],
  compactor: ["LedgerSubscriberCompactorFunction", "LedgerSubscriberCompactorFunctionRole"],
  sweeper: ["SweeperHandler", "SweeperHandlerRole"],
} as const;
type Role = keyof typeof ROLES;

const HOUR_MS = 3_600_000;
const bundlesDir = mkdtempSync(path.join(os.tmpdir(), "bundles-"));
const database = new DynamoDBClient(localAws(inject("dynamoEndpoint")));
const headers = { authorization: `Bearer ${SECRETS.AdminKey}` };
let inventory: Inventory;
let guards: Record<Role, GuardedDynamo>;

beforeAll(async () => {
  inventory = await evaluate({ stage: `t${crypto.randomUUID().slice(0, 8)}`, bundlesDir });
  await ensureTable(database, tableName());
  const guard = (role: Role) =>
    guardDynamo(inject("dynamoEndpoint"), inventory.allows(ROLES[role][1]));
  guards = {
    router: await guard("router"),
    compactor: await guard("compactor"),
    sweeper: await guard("sweeper"),
  };
});
afterAll(async () => {
  await Promise.all(Object.values(guards ?? {}).map((guard) => guard.close()));
  database.destroy();
  rmSync(bundlesDir, { recursive: true });
});

const tableName = () => String(inventory.inputs("Table").name);
const granted = (role: Role) => OPERATIONS[role].map((operation) => `dynamodb:${operation}`);

describe("what the roles allow on the table is what the functions ask for", () => {
  it("the router uses exactly the operations that its role allows", async () => {
    const statuses = await ask([
      ["POST", "/streams", { name: "orders", partitions: 2 }],
      ["POST", "/streams/orders/subscriptions", { name: "shipping", start: "earliest" }],
      ["POST", "/streams/orders/events", { key: "order-1", data: 1 }],
      ["POST", "/streams/orders/subscriptions/shipping/seek", { to: "latest" }],
      ["POST", "/streams/orders/compact", {}],
      ["GET", "/streams"],
      ["GET", "/streams/orders/compacted/order-1"],
      ["DELETE", "/streams/orders/subscriptions/shipping"],
    ]);
    expect(statuses).toEqual([201, 201, 201, 200, 200, 200, 200, 204]);
    expect(await ask([["POST", "/streams", { name: "again" }]])).toEqual([201]);
    for (let round = 0; round < 2; round++) {
      await publishAgain();
      expect(await ask([["POST", "/streams/again/compact", {}]])).toEqual([200]);
    }
    expect([...guards.router.used].sort()).toEqual(granted("router"));
  });

  it("the compactor uses exactly the operations that its role allows", async () => {
    const published: Asked = ["POST", "/streams/orders/events", { key: "order-2", data: 2 }];
    expect(await ask([published])).toEqual([201]);
    await publishAgain();
    await keepOldHours();
    const batches = (await rows()).filter(({ sk }) => sk?.S?.startsWith("SEQ#"));
    const Records = batches.map(({ pk }, n) => ({
      dynamodb: { SequenceNumber: String(n), Keys: { pk } },
    }));
    const { answers, log } = await run("compactor", [{ Records }]);
    expect(answers, log.join("\n")).toEqual([{ batchItemFailures: [] }]);
    expect([...guards.compactor.used].sort()).toEqual(granted("compactor"));
  });

  it("the sweeper uses exactly the operations that its role allows", async () => {
    expect(await ask([["POST", "/streams/orders/events", { key: "order-3", data: 3 }]])).toEqual([
      201,
    ]);
    const left: Asked[] = [
      ["POST", "/streams", { name: "left" }],
      ["POST", "/streams/left/events", { key: "a", data: 1 }],
    ];
    expect(await ask(left)).toEqual([201, 201]);
    await endInterrupted("left");
    await run("sweeper", [{}]);
    // A process that has not itself seen the seals allows for clocks that are three hours apart.
    await restFor(5 * HOUR_MS);
    const { answers, log } = await run("sweeper", [{}]);
    expect(answers, log.join("\n")).toMatchObject([{ livesRemoved: 1, done: true }]);
    expect([...guards.sweeper.used].sort()).toEqual(granted("sweeper"));
  });

  it("an operation that a role does not allow is refused, as on AWS", async () => {
    const [statement] = inventory.allows(ROLES.router[1]);
    const readOnly = await guardDynamo(inject("dynamoEndpoint"), [
      { ...(statement as NonNullable<typeof statement>), Action: ["dynamodb:GetItem"] },
    ]);
    const make = apiGatewayEvent({
      method: "POST",
      path: "/streams",
      headers,
      body: { name: "refused" },
    });
    const { answers } = await run("router", [make], readOnly.endpoint);
    await readOnly.close();
    expect(answers).toMatchObject([{ statusCode: 503 }]);
  });
});

type Asked = readonly [method: string, path: string, body?: object];

/** Returns the router's answers with the permissions of its role. */
async function ask(requests: readonly Asked[]): Promise<number[]> {
  const events = requests.map(([method, at, body]) =>
    apiGatewayEvent({ method, path: at, headers, ...(body ? { body } : {}) }),
  );
  const { answers } = await run("router", events);
  return (answers as { statusCode: number }[]).map(({ statusCode }) => statusCode);
}

/**
 * Publishes so many events of a few keys that compaction lists their changes, compares them with
 * those that it has listed before, and removes the rows that they replace.
 */
async function publishAgain(): Promise<void> {
  const events = Array.from({ length: 1_000 }, (_, n) => ({ key: `k${n % 3}`, data: n }));
  // The arguments of a process hold no more than a few requests.
  for (let request = 0; request < 5; request++) {
    expect(await ask([["POST", "/streams/again/events", { events }]])).toEqual([201]);
  }
}

async function rows(): Promise<Record<string, AttributeValue>[]> {
  return (await database.send(new ScanCommand({ TableName: tableName() }))).Items ?? [];
}

const put = (Item: Record<string, AttributeValue>) =>
  database.send(new PutItemCommand({ TableName: tableName(), Item }));

/** Gives checkpoints hours of usage that are due, so that the next compaction puts their rows. */
async function keepOldHours(): Promise<void> {
  const hour = Math.floor(Date.now() / HOUR_MS);
  const tallyOf = (ago: number) => ({ L: [{ N: `${hour - ago}` }, { N: "1" }, { N: "9" }] });
  for (const row of await rows()) {
    if (row.sk?.S !== "CHECKPOINT") continue;
    await put({ ...row, usage: { L: [tallyOf(9), tallyOf(8)] } });
  }
}

/** Creates a stream whose deletion was interrupted right after its first step. */
async function endInterrupted(name: string): Promise<void> {
  expect(await ask([["DELETE", `/streams/${name}`]])).toEqual([202]);
  for (const { sealedAt: _, ...row } of await removals()) await put(row);
}

/** Makes deleted streams appear as if they had been sealed this long ago. */
async function restFor(ms: number): Promise<void> {
  for (const row of await removals()) {
    await put({ ...row, sealedAt: { N: String(Number(row.sealedAt?.N) - ms) } });
  }
}

const removals = async () => (await rows()).filter(({ pk }) => pk?.S === "REMOVAL");

function run(role: Role, events: unknown[], endpoint = guards[role].endpoint) {
  const [name] = ROLES[role];
  const { variables } = inventory.inputs("Function", name).environment as {
    variables: Record<string, string>;
  };
  const { accessKeyId, secretAccessKey } = localAws("").credentials;
  return invoke(
    inventory.bundles[name]?.dir ?? "",
    {
      ...variables,
      AWS_REGION: LOCAL_REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    },
    events,
  );
}
