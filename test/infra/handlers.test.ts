import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { StreamHandler } from "../stack/deliver.ts";
import { LOCAL_REGION, localAws } from "../stack/local-aws.ts";
import { startPump } from "../stack/pump.ts";
import { ensureTable, loadStreamArn } from "../stack/table.ts";
import { evaluate, SECRETS } from "./evaluate.ts";
import { apiGatewayEvent, functionUrlEvent } from "./http-event.ts";
import type { Inventory } from "./inventory.ts";
import { invoke } from "./invoke.ts";

const bundlesDir = mkdtempSync(path.join(os.tmpdir(), "bundles-"));
const stage = `t${crypto.randomUUID().slice(0, 8)}`;
let inventory: Inventory;

const database = new DynamoDBClient(localAws(inject("dynamoEndpoint")));
const headers = { authorization: `Bearer ${SECRETS.AdminKey}` };

beforeAll(async () => {
  inventory = await evaluate({ stage, bundlesDir });
  await ensureTable(database, tableName());
});
afterAll(() => {
  database.destroy();
  rmSync(bundlesDir, { recursive: true });
});

const tableName = () => String(inventory.inputs("Table").name);

describe("every bundle", () => {
  it("stays below 900 kB, so that a cold start stays short", () => {
    for (const [name, { bytes }] of Object.entries(inventory.bundles)) {
      expect(bytes, name).toBeGreaterThan(0);
      expect(bytes, name).toBeLessThanOrEqual(900_000);
    }
  });
});

describe.each([
  ["an HTTP API", apiGatewayEvent, "one"],
  ["a Function URL", functionUrlEvent, "two"],
])("the router's bundle behind %s", (_door, eventOf, stream) => {
  it("takes an event and gives it back", async () => {
    const post = (at: string, body: object) => eventOf({ method: "POST", path: at, headers, body });
    const answers = await run("Router", [
      post("/streams", { name: stream }),
      post(`/streams/${stream}/subscriptions`, { name: "reader", start: "earliest" }),
      post(`/streams/${stream}/events`, { key: "order-1", data: { total: 1 } }),
      eventOf({ method: "GET", path: `/streams/${stream}/subscriptions/reader/poll`, headers }),
    ]);
    const [made, subscribed, published, polled] = answers as Answer[];
    expect([made, subscribed, published].map((one) => one?.statusCode)).toEqual([201, 201, 201]);
    expect(polled?.statusCode).toBe(200);
    expect(JSON.parse(polled?.body ?? "").events).toMatchObject([
      { key: "order-1", data: { total: 1 }, sequence: 1 },
    ]);
  });
});

describe("the compactor's bundle", () => {
  it("compacts what the table's stream rings for", async () => {
    const client = new DynamoDBStreamsClient(localAws(inject("dynamoEndpoint")));
    const answers: unknown[] = [];
    const handler: StreamHandler = async (event) => {
      const [answer] = await run("LedgerSubscriberCompactorFunction", [event]);
      answers.push(answer);
      return answer as Awaited<ReturnType<StreamHandler>>;
    };
    const pump = await startPump({
      client,
      loadStreamArn: () => loadStreamArn(database, tableName()),
      handler,
      start: "TRIM_HORIZON",
    });
    await expect.poll(() => answers.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await pump.stop();
    client.destroy();
    expect(answers).toContainEqual({ batchItemFailures: [] });
    const url = { method: "GET", path: "/streams/one/compacted/order-1", headers };
    const [state] = (await run("Router", [apiGatewayEvent(url)])) as Answer[];
    expect(JSON.parse(state?.body ?? "")).toMatchObject({ key: "order-1", sequence: 1 });
  });
});

describe("the sweeper's bundle", () => {
  it("runs to its end", async () => {
    await expect(run("SweeperHandler", [{}])).resolves.toHaveLength(1);
  });
});

interface Answer {
  statusCode: number;
  body: string;
}

/**
 * The environment that the function is deployed with, pointed at the emulator by the SDK's own
 * switches.
 */
async function run(name: string, events: unknown[]) {
  const bundle = inventory.bundles[name];
  if (!bundle) throw new Error(`no bundle ${name}`);
  const { variables } = inventory.inputs("Function", name).environment as {
    variables: Record<string, string>;
  };
  const credentials = localAws("").credentials;
  return invoke(
    bundle.dir,
    {
      ...variables,
      AWS_REGION: LOCAL_REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: inject("dynamoEndpoint"),
    },
    events,
  );
}
