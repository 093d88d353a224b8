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
import { OBJECT_OPERATIONS } from "../../infra/operations.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { type S3Server, startS3Server } from "../../packages/local/src/s3/server.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { evaluate, SECRETS } from "./evaluate.ts";
import { type GuardedBucket, guardBucket } from "./guarded-bucket.ts";
import { apiGatewayEvent } from "./http-event.ts";
import type { Inventory } from "./inventory.ts";
import { invoke } from "./invoke.ts";

/**
 * These tests check least privilege on the bucket in both directions, as operations.test.ts does on
 * the table. They also show that a deployed bundle finds the S3 client in its package.
 */
const { credentials } = localAws("");
const bundlesDir = mkdtempSync(path.join(os.tmpdir(), "bundles-"));
const database = new DynamoDBClient(localAws(inject("dynamoEndpoint")));
const headers = { authorization: `Bearer ${SECRETS.AdminKey}` };
let inventory: Inventory;
let server: S3Server;
let guards: Record<"Router" | "SweeperHandler", GuardedBucket>;

beforeAll(async () => {
  const stage = `t${crypto.randomUUID().slice(0, 8)}`;
  inventory = await evaluate({ stage, bundlesDir, env: { ARCHIVE: "on" } });
  await ensureTable(database, tableName());
  server = await startS3Server({ bucket: String(inventory.inputs("Bucket").bucket), credentials });
  guards = {
    Router: await guardBucket(server.endpoint, inventory.allows("RouterRole")),
    SweeperHandler: await guardBucket(server.endpoint, inventory.allows("SweeperHandlerRole")),
  };
});
afterAll(async () => {
  await Promise.all(Object.values(guards ?? {}).map((guard) => guard.close()));
  await server?.stop();
  database.destroy();
  rmSync(bundlesDir, { recursive: true });
});

const tableName = () => String(inventory.inputs("Table").name);
const named = (of: keyof typeof OBJECT_OPERATIONS) =>
  OBJECT_OPERATIONS[of].map((operation) => `s3:${operation}`);

describe("what the roles allow on the bucket is what the functions ask for", () => {
  it("the router archives, verifies and exports with exactly what its role allows", async () => {
    const [made, published, archived, verified, exported] = await ask([
      ["POST", "/streams", { name: "orders", archiveDays: 30 }],
      ["POST", "/streams/orders/events", { key: "order-1", data: 1 }],
      ["POST", "/streams/orders/archive"],
      ["POST", "/streams/orders/archive/verify"],
      ["POST", "/streams/orders/exports", {}],
    ]);
    expect([made?.statusCode, published?.statusCode]).toEqual([201, 201]);
    expect(archived?.body).toMatchObject({ segments: 1, events: 1, done: true });
    expect(verified?.body).toMatchObject({ segments: 1, fault: null });
    expect(exported?.body).toMatchObject({ status: "done", events: 1 });
    expect([...guards.Router.used].sort()).toEqual(named("router"));
  });

  it("the sweeper goes on with exports and removes them with exactly what its role allows", async () => {
    const [row = {}] = await rows();
    const { cursor: _, ...begun } = row;
    await put({ ...begun, status: { S: "running" }, parts: { L: [] } });
    expect((await run("SweeperHandler", [{}])).answers).toMatchObject([{ done: true }]);
    const [again] = await rows();
    expect(again).toMatchObject({ status: { S: "done" }, parts: { L: [expect.anything()] } });
    await put({ ...again, endsAt: { N: "1" } });
    await run("SweeperHandler", [{}]);
    expect(await rows()).toEqual([]);
    const used = [...guards.SweeperHandler.used].filter((action) => action !== "s3:ListBucket");
    expect(used.sort()).toEqual(named("sweeper"));
  });
});

type Asked = readonly [method: string, path: string, body?: object];

async function ask(requests: readonly Asked[]) {
  const events = requests.map(([method, at, body]) =>
    apiGatewayEvent({ method, path: at, headers, ...(body ? { body } : {}) }),
  );
  const { answers } = await run("Router", events);
  return (answers as { statusCode: number; body: string }[]).map(({ statusCode, body }) => ({
    statusCode,
    body: JSON.parse(body),
  }));
}

async function rows(): Promise<Record<string, AttributeValue>[]> {
  const { Items = [] } = await database.send(new ScanCommand({ TableName: tableName() }));
  return Items.filter(({ pk }) => pk?.S === "EXPORTS");
}

const put = (Item: Record<string, AttributeValue>) =>
  database.send(new PutItemCommand({ TableName: tableName(), Item }));

function run(name: keyof typeof guards, events: unknown[]) {
  const { variables } = inventory.inputs("Function", name).environment as {
    variables: Record<string, string>;
  };
  return invoke(
    inventory.bundles[name]?.dir ?? "",
    {
      ...variables,
      AWS_REGION: LOCAL_REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      DYNAMODB_ENDPOINT: inject("dynamoEndpoint"),
      S3_ENDPOINT: guards[name].endpoint,
    },
    events,
  );
}
