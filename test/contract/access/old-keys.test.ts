import { randomUUID } from "node:crypto";
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { ApiKeyList, NewApiKey, Whoami } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { localAws } from "../../../packages/local/src/local-aws.ts";
import { type Stack, startStack } from "../../../packages/local/src/stack.ts";
import { send } from "../wire.ts";
import { ask } from "./ask.ts";
import { operations } from "./openapi-operations.ts";

/** These tests use keys whose rows were written before scopes were divided and bounds existed. */

const tableName = `old-keys-${randomUUID()}`;
let stack: Stack;
let client: DynamoDBClient;
beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName });
  client = new DynamoDBClient(localAws(endpoint));
});
afterAll(async () => {
  client?.destroy();
  await stack?.stop();
});

const post = (path: string, json: object, apiKey = stack.adminKey) =>
  send(
    { baseUrl: stack.url, apiKey },
    {
      method: "POST",
      path,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
    },
  );

const make = async (scopes: string[], more: object = {}) =>
  NewApiKey.parse((await post("/keys", { name: "k", scopes, streams: ["*"], ...more })).body);

const rowOf = (id: string) => ({ pk: { S: `KEY#${id}` }, sk: { S: "META" } });

/** Creates a key as the first release stored it. */
async function makeOld(scopes: string[]): Promise<NewApiKey> {
  const key = await make(["publish"]);
  await client.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: rowOf(key.id),
      UpdateExpression: "SET scopes = :s REMOVE grants, ancestors",
      ExpressionAttributeValues: { ":s": { L: scopes.map((S) => ({ S })) } },
    }),
  );
  return key;
}

const OLD = [
  ["consume", ["read", "consume", "operate"]],
  ["publish", ["publish"]],
  ["admin", ["admin"]],
] as const;

describe.each(OLD)("an old key with the scope %s", (scope, means) => {
  let old: NewApiKey;
  beforeAll(async () => {
    old = await makeOld([scope]);
  });
  const keyed = operations.filter(({ scope: of = "" }) => !["public", "any", "root"].includes(of));

  it.each(keyed.map(({ id }) => id))("[key.scope-old] an old key works at %s", async (id) => {
    const operation = keyed.find((each) => each.id === id);
    if (operation === undefined) throw new Error(`no operation ${id}`);
    const names = { stream: "nowhere", subscription: "s", id: "000000000000", cursor: "c" };
    const rest = { polled: "", shared: "", worked: "", snapshot: "" };
    const { text } = await ask(stack.url, operation, { ...names, ...rest }, old.apiKey);
    const covered = operation.scopes.some((each) => means.some((held) => held === each));
    expect(text.includes("needs the scope"), text).toBe(!covered);
  });

  it("[key.scope-old] an old key shows its rights as today's scopes", async () => {
    const { body } = await send({ baseUrl: stack.url, apiKey: old.apiKey }, { path: "/whoami" });
    expect(Whoami.parse(body)).toMatchObject({ scopes: means, keyId: old.id });
    const listed = (await send({ baseUrl: stack.url, apiKey: stack.adminKey }, { path: "/keys" }))
      .body;
    expect(ApiKeyList.parse(listed).keys.find(({ id }) => id === old.id)).toMatchObject({
      scopes: means,
    });
  });

  it("[key.scope-old] an old key keeps its rights when it is rotated", async () => {
    const { apiKey } = NewApiKey.parse((await post(`/keys/${old.id}/rotate`, {})).body);
    const { body } = await send({ baseUrl: stack.url, apiKey }, { path: "/whoami" });
    expect(body).toMatchObject({ scopes: means });
  });
});

it("[key.scope-old] an old key can pass on all of its rights, and no more", async () => {
  const { apiKey } = await makeOld(["admin", "consume"]);
  const ask = (scopes: string[]) =>
    post("/keys", { name: "k", scopes, streams: ["*"] }, apiKey).then(({ status }) => status);
  expect(await ask(["read"])).toBe(201);
  expect(await ask(["operate", "consume", "admin"])).toBe(201);
  expect(await ask(["publish"])).toBe(403);
});

it("[key.scope-old] a request for `consume` today creates a key that may poll and not seek", async () => {
  const { apiKey, scopes } = await make(["consume"]);
  expect(scopes).toEqual(["consume"]);
  const { body } = await post("/streams/s/subscriptions/s/seek", { to: "latest" }, apiKey);
  expect(body).toMatchObject({ code: "forbidden" });
});

it("[key.scope-old] a new row grants old code nothing that it should not", async () => {
  const stored = async (key: NewApiKey) => {
    const get = new GetItemCommand({ TableName: tableName, Key: rowOf(key.id) });
    return (await client.send(get)).Item?.scopes?.L?.map(({ S }) => S);
  };
  expect(await stored(await make(["read", "consume", "publish"]))).toEqual(["publish"]);
  const all = await make(["read", "consume", "operate", "publish", "admin"]);
  expect((await stored(all))?.toSorted()).toEqual(["admin", "consume", "publish"]);
  expect(await stored(await make(["publish"], { keyPrefix: "eu/" }))).toEqual([]);
});
