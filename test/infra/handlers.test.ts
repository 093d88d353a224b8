import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { StreamHandler } from "../../packages/local/src/deliver.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { startPump } from "../../packages/local/src/pump.ts";
import { ensureTable, loadStreamArn } from "../../packages/local/src/table.ts";
import { readStack } from "../../tools/read-stack/read-stack.ts";
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
  it("every bundle stays below 1.1 MB, so that a cold start stays short", () => {
    for (const [name, { bytes }] of Object.entries(inventory.bundles)) {
      expect(bytes, name).toBeGreaterThan(0);
      expect(bytes, name).toBeLessThanOrEqual(1_100_000);
    }
  });

  it("a bundle contains these packages and no other, because each runs before the first answer", () => {
    const own = (name: string) =>
      inventory.bundles[name]?.packages.filter((one) => !/^@(aws|aws-sdk|smithy)\//.test(one));
    const ofSdk = ["mnemonist", "obliterator"];
    const upkeep = ["electrodb", ...ofSdk, "sst"];
    const http = ["@hono/zod-validator", "hono", "zod"];
    expect(own("Router")).toEqual([...http, ...upkeep].sort());
    expect(own("SweeperHandler")).toEqual(upkeep);
    expect(own("LedgerSubscriberCompactorFunction")).toEqual(upkeep);
  });

  it("a bundle leaves out descriptions of the API and ElectroDB's checks of models", () => {
    for (const [name, { dir }] of Object.entries(inventory.bundles)) {
      const code = readFileSync(path.join(dir, "bundle.cjs"), "utf8");
      // This is a German message of zod. Only the OpenAPI generator includes all of zod's
      // languages.
      expect(code.includes("Ungültige Eingabe"), name).toBe(false);
      expect(code.includes("does not conform to the"), name).toBe(false);
      // This text is from the schemas of answers, which check nothing.
      expect(code.includes("It is never shown again."), name).toBe(false);
    }
  });
});

describe.each([
  ["an HTTP API", apiGatewayEvent, "one"],
  ["a Function URL", functionUrlEvent, "two"],
])("the router's bundle with %s", (_door, eventOf, stream) => {
  it("the router accepts an event and returns it", async () => {
    const post = (at: string, body: object) => eventOf({ method: "POST", path: at, headers, body });
    const answers = await ask([
      post("/streams", { name: stream }),
      post(`/streams/${stream}/subscriptions`, { name: "reader", start: "earliest" }),
      post(`/streams/${stream}/events`, { key: "order-1", data: { total: 1 } }),
      eventOf({ method: "GET", path: `/streams/${stream}/subscriptions/reader/poll`, headers }),
    ]);
    const [made, subscribed, published, polled] = answers;
    expect([made, subscribed, published].map((one) => one?.statusCode)).toEqual([201, 201, 201]);
    expect(polled?.statusCode).toBe(200);
    expect(JSON.parse(polled?.body ?? "").events).toMatchObject([
      { key: "order-1", data: { total: 1 }, sequence: 1 },
    ]);
  });

  it("a key works as ?key=, and in a path as itself or not at all", async () => {
    const keys = ["a#1", "a", "A", "%41", "%2541", "a?b", "50%", "a/b", "é", ".."];
    const events = keys.map((key) => ({ key, data: { key } }));
    const at = `/streams/${stream}/compacted`;
    const get = (path: string, query = "") => eventOf({ method: "GET", path, query, headers });
    const answers = await ask([
      eventOf({ method: "POST", path: `/streams/${stream}/events`, headers, body: { events } }),
      eventOf({ method: "POST", path: `/streams/${stream}/compact`, headers }),
      ...keys.map((key) => get(at, `key=${encodeURIComponent(key)}`)),
      ...keys.map((key) => get(`${at}/${encodeURIComponent(key)}`)),
    ]);
    const keyOf = ({ body }: Answer) => JSON.parse(body).key;
    expect(answers.slice(2, 2 + keys.length).map(keyOf)).toEqual(keys);
    for (const [index, answer] of answers.slice(2 + keys.length).entries()) {
      if (answer.statusCode < 400) expect(keyOf(answer)).toBe(keys[index]);
      else expect(answer.statusCode, keys[index]).toBeOneOf([400, 404]);
    }
  });

  it("a long page is compressed for a client that accepts it", async () => {
    const events = Array.from({ length: 20 }, (_, n) => ({ key: `order-${n}`, data: { n } }));
    const path = `/streams/${stream}/events`;
    const [, page] = await ask([
      eventOf({ method: "POST", path, headers, body: { events } }),
      eventOf({ method: "GET", path, headers: { ...headers, "accept-encoding": "gzip" } }),
    ]);
    expect(page).toMatchObject({ isBase64Encoded: true, headers: { "content-encoding": "gzip" } });
    const text = gunzipSync(Buffer.from(page?.body ?? "", "base64")).toString();
    expect(JSON.parse(text).events.length).toBeGreaterThan(20);
  });

  it("the package serves the documentation", async () => {
    const paths = ["/docs", "/docs/assets/swagger-ui.css", "/openapi.json", "/docs/problems"];
    const answers = await ask(paths.map((at) => eventOf({ method: "GET", path: at })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    const document = JSON.parse(answers[2]?.body ?? "");
    expect(document.paths).toHaveProperty("/streams/{stream}/events");
    expect(answers[3]?.body).toContain("<strong>Remedy.</strong>");
  });

  it("the package serves the console from files beside the bundle", async () => {
    const get = (at: string) => eventOf({ method: "GET", path: at });
    const [page] = await ask([get("/console")]);
    const files = [...(page?.body ?? "").matchAll(/\/console\/assets\/[\w.-]+/g)].map(([at]) => at);
    expect(files.length).toBeGreaterThan(2);
    const answers = await ask(files.map(get));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(files.map(() => 200));
    const code = readFileSync(path.join(inventory.bundles.Router?.dir ?? "", "bundle.cjs"), "utf8");
    expect(code).not.toContain("Publish your first event");
  });
});

describe("the router's bundle with a Function URL that streams", () => {
  const stream = "three";
  const get = (at: string, own: Record<string, string> = {}) =>
    functionUrlEvent({ method: "GET", path: at, headers: { ...headers, ...own } });
  const askStreamed = async (events: unknown[]) => {
    const { answers } = await run("Router", events, { EVENTLEDGER_STREAM_SECONDS_MAX: "60" });
    return answers as Answer[];
  };

  it("[sse.page] the router streams pages, and answers everything else as it does otherwise", async () => {
    const post = (path: string, body: object) =>
      functionUrlEvent({ method: "POST", path, headers, body });
    const answers = await askStreamed([
      post("/streams", { name: stream }),
      post(`/streams/${stream}/events`, { key: "order-1", data: { total: 1 } }),
      get(`/streams/${stream}/events`),
      get(`/streams/${stream}/events`, { accept: "text/event-stream" }),
      get("/whoami"),
      get("/nowhere"),
      get("/console"),
    ]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([
      201, 201, 200, 200, 200, 404, 200,
    ]);
    const [, , page, pages, whoami, refused] = answers;
    expect(JSON.parse(page?.body ?? "").events).toMatchObject([{ key: "order-1", data: {} }]);
    expect(pages?.headers).toMatchObject({ "content-type": "text/event-stream" });
    expect(pages?.body).toMatch(/^retry: 1000\n\nevent: page\nid: \S+\ndata: \{.*\}\n\n/);
    expect(JSON.parse(whoami?.body ?? "").streaming).toBe(true);
    expect(JSON.parse(refused?.body ?? "").code).toBe("route-not-found");
  });

  it("[sse.refused] without the setting the router sends whole answers", async () => {
    const [answer] = await ask([get(`/streams/${stream}/events`, { accept: "text/event-stream" })]);
    expect(answer?.statusCode).toBe(406);
  });

  it("a setting that cannot be used stops the function's start", async () => {
    const wrong = run("Router", [], { EVENTLEDGER_STREAM_SECONDS_MAX: "900" });
    await expect(wrong).rejects.toThrow("Set EVENTLEDGER_STREAM_SECONDS_MAX to whole seconds");
  });
});

describe("the router's log", () => {
  it("the log has a line per request, without the key, the query or the body", async () => {
    const { log } = await run("Router", [
      apiGatewayEvent({
        method: "POST",
        path: "/streams/one/events",
        headers,
        body: { key: "a-secret-key", data: "a secret" },
      }),
      apiGatewayEvent({
        method: "GET",
        path: "/streams/one/events",
        query: "from=a-secret-cursor",
        headers: { ...headers, "x-request-id": "request-of-test" },
      }),
      apiGatewayEvent({ method: "GET", path: "/nowhere", headers }),
    ]);
    const lines = log.map((line) => JSON.parse(line));
    expect(lines.filter((line) => !line._aws)).toMatchObject([
      { level: "INFO", method: "POST", route: "/streams/:stream/events", status: 201 },
      {
        requestId: "request-of-test",
        method: "GET",
        route: "/streams/:stream/events",
        status: 400,
        problem: "invalid-request",
      },
      { method: "GET", route: "none", status: 404, problem: "route-not-found" },
    ]);
    expect(log.join("\n")).not.toMatch(/secret|admin-key-of/);
  });

  it("the log has metrics that CloudWatch accepts, with the table as their only dimension", async () => {
    const publish = { key: "order-2", data: 1 };
    const path = "/streams/one/events";
    const { log } = await run("Router", [
      apiGatewayEvent({ method: "POST", path, headers, body: publish }),
    ]);
    const [metrics] = log.map((line) => JSON.parse(line)).filter((line) => line._aws);
    const [directive] = metrics._aws.CloudWatchMetrics;
    expect(directive).toMatchObject({ Namespace: "EventLedger", Dimensions: [["TableName"]] });
    expect(directive.Metrics).toContainEqual({ Name: "EventsPublished", Unit: "Count" });
    for (const { Name } of directive.Metrics)
      expect(metrics[Name], Name).toEqual(expect.any(Number));
    expect(metrics).toMatchObject({
      TableName: tableName(),
      EventsPublished: 1,
      BytesPublished: 1,
      Appends: 1,
      AppendPuts: 1,
      WriteUnitsBy: { PutItem: 1 },
    });
  });
});

describe("a stack in the log", () => {
  it("the source map of the same bundle translates a stack", async () => {
    const batch = await stuckBatch("stack");
    const record = { dynamodb: { SequenceNumber: "1", Keys: { pk: { S: batch } } } };
    const { log } = await run("LedgerSubscriberCompactorFunction", [{ Records: [record] }]);
    const stuck = log.map((line) => JSON.parse(line)).find(({ stream }) => stream === "stack");
    expect(stuck.stack).toMatch(/bundle\.cjs:\d+:\d+/);
    expect(stuck.stack).not.toContain("packages/core");
    const { dir = "" } = inventory.bundles.LedgerSubscriberCompactorFunction ?? {};
    expect(readStack(dir, stuck.stack)).toMatch(/packages\/core\/src\/log\/codec\.ts:\d+:\d+/);
    await ask([apiGatewayEvent({ method: "DELETE", path: "/streams/stack", headers })]);
  });
});

describe("the compactor's bundle", () => {
  it("the compactor compacts the partitions that the table's stream names", async () => {
    const client = new DynamoDBStreamsClient(localAws(inject("dynamoEndpoint")));
    const answers: unknown[] = [];
    const handler: StreamHandler = async (event) => {
      const [answer] = (await run("LedgerSubscriberCompactorFunction", [event])).answers;
      answers.push(answer);
      return answer as Awaited<ReturnType<StreamHandler>>;
    };
    const pump = await startPump({
      client,
      loadStreamArn: () => loadStreamArn(database, tableName()),
      handler,
      start: "TRIM_HORIZON",
    });
    const url = { method: "GET", path: "/streams/two", headers };
    const waiting = async () => {
      const [stream] = await ask([apiGatewayEvent(url)]);
      return JSON.parse(stream?.body ?? "").watermarkLag.events;
    };
    await expect.poll(waiting, { timeout: 120_000, interval: 100 }).toBe(0);
    await pump.stop();
    client.destroy();
    expect(answers).toContainEqual({ batchItemFailures: [] });
  });

  it("the compactor reports the lag of a partition that it cannot compact", async () => {
    const batch = await stuckBatch("broken");
    const record = { dynamodb: { SequenceNumber: "1", Keys: { pk: { S: batch } } } };
    const { log } = await run("LedgerSubscriberCompactorFunction", [{ Records: [record] }]);
    const lines = log.map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ level: "ERROR", stream: "broken" }));
    const [metrics] = lines.filter((line) => line._aws);
    expect(metrics.TableName).toBe(tableName());
    expect(metrics.CompactionLagSeconds).toBeGreaterThan(0);
  });
});

describe("the sweeper's bundle", () => {
  it("the sweeper fails when a partition is stuck, and reports its lag", async () => {
    const stuck = run("SweeperHandler", [{}]);
    await expect(stuck).rejects.toThrow(/CompactionLagSeconds/);
  });

  it("the sweeper finishes and writes no metrics when all is well", async () => {
    await ask([apiGatewayEvent({ method: "DELETE", path: "/streams/broken", headers })]);
    const { answers, log } = await run("SweeperHandler", [{}]);
    expect(answers).toMatchObject([{ done: true }]);
    expect(log.map((line) => JSON.parse(line))).toMatchObject([{ level: "INFO", stuck: 0 }]);
  });
});

/** Creates a stream whose only batch cannot be read. Returns its partition key. */
async function stuckBatch(stream: string): Promise<string> {
  const post = (path: string, body: object) =>
    apiGatewayEvent({ method: "POST", path, headers, body });
  const [made] = await ask([
    post("/streams", { name: stream }),
    post(`/streams/${stream}/events`, { key: "a", data: 1 }),
  ]);
  expect(made?.statusCode).toBe(201);
  return damageBatch(stream);
}

/** Damages the only batch of a stream so that it cannot be read. Returns its partition key. */
async function damageBatch(stream: string): Promise<string> {
  const { Items = [] } = await database.send(new ScanCommand({ TableName: tableName() }));
  const row = Items.find(
    ({ pk, sk }) => pk?.S?.startsWith(`STREAM#${stream}#`) && sk?.S?.startsWith("SEQ#"),
  );
  if (!row) throw new Error(`${stream} has no batch`);
  row.d = { B: Buffer.from("damaged by the test") };
  await database.send(new PutItemCommand({ TableName: tableName(), Item: row }));
  return row.pk?.S ?? "";
}

/** Returns the answers of the router's bundle. */
async function ask(events: unknown[]): Promise<Answer[]> {
  return (await run("Router", events)).answers as Answer[];
}

interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Runs a function with the environment of its deployment, except that the SDK's own settings point
 * to the emulator.
 */
async function run(name: string, events: unknown[], own: Record<string, string> = {}) {
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
      ...own,
    },
    events,
  );
}
