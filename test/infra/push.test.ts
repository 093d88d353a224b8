import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { OPERATIONS } from "../../infra/operations.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { evaluate, SECRETS } from "./evaluate.ts";
import { type GuardedDynamo, guardDynamo } from "./guarded-dynamo.ts";
import { apiGatewayEvent } from "./http-event.ts";
import type { Inventory, Statement } from "./inventory.ts";
import { invoke } from "./invoke.ts";

/** A stage that pushes: what is deployed, and its bundles over the emulator and a queue of SQS. */
const FUNCTIONS = {
  router: "Router",
  dispatcher: "LedgerSubscriberDispatcher",
  pusher: "BellsSubscriber",
  sweeper: "SweeperHandler",
} as const;
type Role = keyof typeof FUNCTIONS;

/** Returns the name of a function's bundle. SST adds a part that depends on the stage. */
const nameOf = (inventory: Inventory, role: Role): string =>
  inventory.one("Function", FUNCTIONS[role]).name.replace(/Function$/, "");
const allows = (inventory: Inventory, role: Role) =>
  inventory.allows(`${nameOf(inventory, role)}Role`);

const bundlesDir = mkdtempSync(path.join(os.tmpdir(), "bundles-"));
const database = new DynamoDBClient(localAws(inject("dynamoEndpoint")));
let stage: Inventory;
let production: Inventory;
let guards: Record<Role, GuardedDynamo>;

type Sent = { readonly target: string; readonly queue: string; readonly bells: Sqs["Entries"] };
type Sqs = {
  readonly QueueUrl: string;
  readonly Entries: readonly {
    readonly Id: string;
    readonly MessageBody: string;
    readonly DelaySeconds: number;
  }[];
};
const sent: Sent[] = [];
/** Answers as SQS does, and stores every second message of a request only when it is sent again. */
const sqs = http.createServer(async (request, response) => {
  const { QueueUrl, Entries }: Sqs = JSON.parse(await text(request));
  const target = String(request.headers["x-amz-target"]);
  const isSigned = String(request.headers.authorization).includes("/sqs/aws4_request");
  if (!isSigned) return void response.writeHead(403).end("{}");
  const stored = Entries.filter((_, at) => at % 2 === 0);
  sent.push({ target, queue: QueueUrl, bells: stored });
  const Failed = Entries.filter((_, at) => at % 2 === 1).map(({ Id }) => ({ Id, Code: "later" }));
  response.end(JSON.stringify({ Successful: stored.map(({ Id }) => ({ Id })), Failed }));
});

beforeAll(async () => {
  const name = `t${crypto.randomUUID().slice(0, 8)}`;
  stage = await evaluate({ stage: name, bundlesDir, env: { PUSH: "on" } });
  production = await evaluate({ stage: "production", env: { PUSH: "on", ARCHIVE: "on" } });
  await ensureTable(database, tableName());
  await new Promise<void>((resolve) => sqs.listen(0, "127.0.0.1", resolve));
  const guard = (role: Role) => guardDynamo(inject("dynamoEndpoint"), allows(stage, role));
  guards = {
    router: await guard("router"),
    dispatcher: await guard("dispatcher"),
    pusher: await guard("pusher"),
    sweeper: await guard("sweeper"),
  };
});
afterAll(async () => {
  await Promise.all(Object.values(guards ?? {}).map((one) => one.close()));
  sqs.close();
  sqs.closeAllConnections();
  database.destroy();
  rmSync(bundlesDir, { recursive: true });
});

const tableName = () => String(stage.inputs("Table").name);
const BELLS = /^arn:aws:sqs:.*-BellsQueue-/;
const DEAD = /^arn:aws:sqs:.*-DeadBellsQueue-/;
const actionsOn = (statements: readonly Statement[], resource: RegExp) =>
  statements
    .filter(({ Resource }) => [Resource].flat().some((arn) => resource.test(String(arn))))
    .map(({ Action }) => Action);

describe("a stage that pushes", () => {
  it("PUSH adds these resources and no others", async () => {
    const off = await evaluate({ stage: "production", env: { ARCHIVE: "on" } });
    const count = (inventory: Inventory, kind: string) => inventory.all(kind).length;
    const kinds = new Set(production.resources.map(({ type }) => type.split(":").at(-1) ?? ""));
    const more = [...kinds].flatMap((kind) => {
      const difference = count(production, kind) - count(off, kind);
      return difference === 0 ? [] : [[kind, difference]];
    });
    expect(Object.fromEntries(more)).toEqual({
      BucketObjectv2: 2,
      EventSourceMapping: 2,
      Function: 2,
      LogGroup: 2,
      MetricAlarm: 2,
      Queue: 2,
      Role: 2,
    });
  });

  it("the dispatcher hears new batches and bells within a second, and nothing else", () => {
    const mapping = production.inputs("EventSourceMapping", "LedgerSubscriberDispatcher");
    const { filters } = mapping.filterCriteria as { filters: { pattern: string }[] };
    expect(filters.map((filter) => JSON.parse(filter.pattern))).toEqual([
      { eventName: ["INSERT"], dynamodb: { Keys: { sk: { S: [{ prefix: "SEQ#" }] } } } },
      { eventName: ["INSERT", "MODIFY"], dynamodb: { Keys: { sk: { S: ["BELL"] } } } },
    ]);
    expect(mapping).toMatchObject({
      maximumBatchingWindowInSeconds: 1,
      bisectBatchOnFunctionError: true,
      destinationConfig: { onFailure: { destinationArn: expect.stringMatching(DEAD) } },
    });
  });

  it("a bell stays invisible for longer than a run may take, and dies after three deliveries", () => {
    const queue = production.inputs("Queue", "BellsQueue");
    const timeout = Number(production.inputs("Function", "BellsSubscriber").timeout);
    expect(Number(queue.visibilityTimeoutSeconds)).toBeGreaterThan(timeout);
    const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(String(queue.redrivePolicy));
    expect(deadLetterTargetArn).toMatch(DEAD);
    expect(maxReceiveCount).toBe(3);
    expect(production.inputs("EventSourceMapping", "BellsSubscriber")).toMatchObject({
      batchSize: 1,
      scalingConfig: { maximumConcurrency: 10 },
    });
    expect(production.inputs("Queue", "DeadBellsQueue").messageRetentionSeconds).toBe(14 * 86_400);
  });

  it("each function may do on the queues only what it does", () => {
    const of = (role: Role) => allows(production, role);
    expect(actionsOn(of("router"), /:sqs:/)).toEqual([]);
    expect(actionsOn(of("sweeper"), /:sqs:/)).toEqual([["sqs:SendMessage"]]);
    expect(actionsOn(of("dispatcher"), BELLS)).toEqual([["sqs:SendMessage"]]);
    expect(actionsOn(of("dispatcher"), DEAD)).toEqual([["sqs:SendMessage"]]);
    expect(actionsOn(of("pusher"), BELLS)).toEqual([
      [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
      ],
      ["sqs:SendMessage"],
    ]);
    expect(actionsOn(of("pusher"), /:s3:.*\/\*$/)).toEqual([["s3:GetObject"]]);
    const all = of("pusher").flatMap(({ Action }) => Action as string[]);
    expect(all.filter((action) => !/^(dynamodb|sqs|s3):/.test(action))).toEqual([]);
  });

  it("the router and the pusher have PushKey in their packages, and no other function has", () => {
    const having = Object.entries(production.bundles).filter(([, { links }]) => "PushKey" in links);
    expect(having.map(([name]) => name).sort()).toEqual([nameOf(production, "pusher"), "Router"]);
    const settings = JSON.stringify(
      production.resources.filter(({ type }) => type.startsWith("aws:")),
    );
    expect(settings).not.toContain(SECRETS.PushKey);
  });

  it("alarms tell of dead bells, and of a dispatcher that lags", () => {
    expect(production.inputs("MetricAlarm", "BellsDead")).toMatchObject({
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: production.inputs("Queue", "DeadBellsQueue").name },
      threshold: 1,
    });
    expect(production.inputs("MetricAlarm", "DispatcherBehind")).toMatchObject({
      metricName: "IteratorAge",
      dimensions: {
        FunctionName: production.inputs("Function", "LedgerSubscriberDispatcher").name,
      },
      threshold: 300_000,
    });
  });

  it("a wrong setting is refused, and so is a stage that pushes without its secret", async () => {
    const misspelt = evaluate({ stage: "alice", env: { PUSH: "yes" } });
    await expect(misspelt).rejects.toThrow('PUSH is "yes"; it can be "off" (the default) or "on"');
    const { PushKey: _, ...secrets } = SECRETS;
    const forgotten = evaluate({ stage: "alice", env: { PUSH: "on" }, secrets });
    await expect(forgotten).rejects.toThrow("sst secret set PushKey");
  });
});

describe("the bundles of a stage that pushes", () => {
  const at = "/streams/orders/subscriptions/hook/push";

  it("the router accepts an https URL with a public address, and no other", async () => {
    const [made, subscribed, put, local, plain] = await ask([
      ["POST", "/streams", { name: "orders", compaction: "none" }],
      ["POST", "/streams/orders/subscriptions", { name: "hook", start: "earliest" }],
      ["PUT", at, { url: "https://hook.invalid/in" }],
      ["PUT", at, { url: "https://169.254.169.254/latest" }],
      ["PUT", at, { url: "http://hook.invalid/in" }],
    ]);
    expect([made, subscribed, put].map((one) => one?.statusCode)).toEqual([201, 201, 201]);
    expect([local?.statusCode, plain?.statusCode]).toEqual([400, 400]);
    expect(JSON.parse(put?.body ?? "").secret).toMatch(/^whsec_/);
  });

  it("a batch passes through the dispatcher, the queue and the pusher, with their roles", async () => {
    const published: Asked = ["POST", "/streams/orders/events", { key: "order-1", data: 1 }];
    expect((await ask([published]))[0]?.statusCode).toBe(201);
    const Records = (await rows())
      .filter(({ sk }) => /^(SEQ#|BELL$)/.test(sk))
      .map(({ pk, sk }, n) => ({
        eventName: "INSERT",
        dynamodb: { SequenceNumber: String(n), Keys: { pk: { S: pk }, sk: { S: sk } } },
      }));
    await run("dispatcher", [{ Records }]);
    expect([...guards.dispatcher.used].sort()).toEqual(granted("dispatcher"));
    const [rung] = sent.splice(0);
    expect(rung).toMatchObject({ target: "AmazonSQS.SendMessageBatch" });
    expect(rung?.queue).toMatch(/-BellsQueue-/);
    expect(rung?.bells).toMatchObject([{ DelaySeconds: 0 }]);

    const messages = (rung?.bells ?? []).map(({ MessageBody }) => ({ body: MessageBody }));
    const before = Date.now();
    await run("pusher", [{ Records: messages }]);
    const after = Date.now();
    const [state] = await ask([["GET", at]]);
    expect(JSON.parse(state?.body ?? "")).toMatchObject({ status: "failing" });
    const [timer] = sent.splice(0);
    const { MessageBody = "{}", DelaySeconds = Number.NaN } = timer?.bells[0] ?? {};
    // The next attempt is about 5 s after the first one, and the bell is delayed until then.
    const { at: nextMs } = JSON.parse(MessageBody);
    expect(nextMs).toBeGreaterThan(before + 3_000);
    expect(nextMs).toBeLessThan(after + 8_000);
    expect(DelaySeconds * 1_000).toBeGreaterThanOrEqual(nextMs - after);
    expect(DelaySeconds * 1_000).toBeLessThan(nextMs - before + 1_000);
  });

  it("the pusher disables a push with an entry, removes one, and uses what its role allows", async () => {
    const [made, token] = await ask([
      [
        "POST",
        "/streams/orders/subscriptions",
        { name: "acme", start: "earliest", filter: { keyPrefix: "order-" } },
      ],
      [
        "POST",
        "/portal-tokens",
        {
          streams: ["orders"],
          subscriptions: ["acme"],
          keyPrefix: "order-",
          scopes: ["endpoints"],
        },
      ],
    ]);
    expect([made, token].map((one) => one?.statusCode)).toEqual([201, 201]);
    const acme = "/streams/orders/subscriptions/acme";
    const asCustomer = JSON.parse(token?.body ?? "").token;
    const body = { url: "https://hook.invalid/in" };
    const [put] = await ask([["PUT", `${acme}/push`, body]], asCustomer);
    expect(put?.statusCode).toBe(201);
    const left = await ask([
      ["PATCH", acme, { filter: null }],
      ["POST", "/streams/orders/events", { key: "other", data: 1 }],
      ["POST", "/streams/orders/subscriptions", { name: "brief", start: "earliest" }],
      ["PUT", "/streams/orders/subscriptions/brief/push", body],
      ["DELETE", "/streams/orders/subscriptions/brief"],
    ]);
    expect(left.map(({ statusCode }) => statusCode)).toEqual([200, 201, 201, 201, 204]);
    const bells = (await rows())
      .map(({ pk }) => /^STREAM#(orders#[^#]+)#SUB#([^#]+)#PUSH$/.exec(pk))
      .flatMap((found) => (found ? [{ life: found[1], subscriptionUid: found[2] }] : []));
    await run(
      "pusher",
      bells.map((bell) => ({ Records: [{ body: JSON.stringify(bell) }] })),
    );
    const [state] = await ask([["GET", `${acme}/push`]]);
    expect(JSON.parse(state?.body ?? "")).toMatchObject({ disabledBecause: "outside-prefix" });
    const [audit] = await ask([["GET", "/streams/_audit/events?from=earliest&type=disablePush"]]);
    expect(JSON.parse(audit?.body ?? "").events).toMatchObject([{ data: { actor: "server" } }]);
    const unused = granted("pusher").filter((operation) => !guards.pusher.used.has(operation));
    // Only a long list of changed states needs it.
    expect(unused).toEqual(["dynamodb:BatchGetItem"]);
  }, 60_000);

  it("the sweeper rings every push, and sends again what the queue has not stored", async () => {
    const more = ["a", "b", "c"].flatMap((name): Asked[] => [
      ["POST", "/streams/orders/subscriptions", { name, start: "earliest" }],
      ["PUT", `/streams/orders/subscriptions/${name}/push`, { url: "https://hook.invalid/in" }],
    ]);
    await ask(more);
    sent.length = 0;
    await run("sweeper", [{}]);
    const bells = sent.flatMap((request) => request.bells.map(({ MessageBody }) => MessageBody));
    expect(new Set(bells).size).toBe(4);
    expect(sent.length).toBeGreaterThan(1);
  });
});

type Asked = readonly [method: string, path: string, body?: object];

async function ask(requests: readonly Asked[], key: string = SECRETS.AdminKey) {
  const headers = { authorization: `Bearer ${key}` };
  const events = requests.map(([method, to, body]) => {
    const [at = "", query] = to.split("?");
    const more = { ...(query ? { query } : {}), ...(body ? { body } : {}) };
    return apiGatewayEvent({ method, path: at, headers, ...more });
  });
  return (await run("router", events)).answers as { statusCode: number; body: string }[];
}

async function rows(): Promise<{ pk: string; sk: string }[]> {
  const { Items = [] } = await database.send(new ScanCommand({ TableName: tableName() }));
  return Items.map(({ pk, sk }) => ({ pk: pk?.S ?? "", sk: sk?.S ?? "" }));
}

const granted = (role: Role) => OPERATIONS[role].map((operation) => `dynamodb:${operation}`);

function run(role: Role, events: unknown[]) {
  const name = nameOf(stage, role);
  const { variables } = stage.inputs("Function", name).environment as {
    variables: Record<string, string>;
  };
  const { accessKeyId, secretAccessKey } = localAws("").credentials;
  return invoke(
    stage.bundles[name]?.dir ?? "",
    {
      ...variables,
      AWS_REGION: LOCAL_REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: guards[role].endpoint,
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${(sqs.address() as AddressInfo).port}`,
    },
    events,
  );
}
