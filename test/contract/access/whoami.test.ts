import { randomUUID } from "node:crypto";
import { LIMITS, NewApiKey, NewTenant, Whoami } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import openApi from "../../../packages/functions/openapi.json" with { type: "json" };
import { type Stack, startStack } from "../../../packages/local/src/stack.ts";
import { send } from "../wire.ts";

let stack: Stack;
beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  const tableName = `whoami-${randomUUID()}`;
  stack = await startStack({ endpoint, tableName, waitSecondsMax: 7 });
});
afterAll(() => stack?.stop());

const post = async (path: string, json: object, apiKey = stack.adminKey) => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(json);
  return (await send({ baseUrl: stack.url, apiKey }, { method: "POST", path, headers, body })).body;
};

async function whoami(apiKey: string): Promise<Whoami> {
  const answer = await send({ baseUrl: stack.url, apiKey }, { path: "/whoami" });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.header("cache-control")).toBe("no-store");
  const parsed = Whoami.parse(answer.body);
  expect(parsed, "a member that the schema does not declare").toEqual(answer.body);
  return parsed;
}

describe("GET /whoami", () => {
  it("[key.whoami] whoami shows the rights of a key, its tenant and its expiry", async () => {
    const { adminKey } = NewTenant.parse(await post("/tenants", { name: "acme" }));
    const config = {
      name: "k",
      scopes: ["consume", "read"],
      streams: ["orders", "billing.*"],
      subscriptions: ["a.*"],
      keyPrefix: "eu/",
    };
    const { id, apiKey, expiresAt } = NewApiKey.parse(await post("/keys", config, adminKey.apiKey));
    const { name: _, ...rights } = config;
    expect(await whoami(apiKey)).toEqual({
      tenant: "acme",
      keyId: id,
      ...rights,
      expiresAt,
      version: openApi.info.version,
      waitSecondsAdvised: 7,
      streaming: true,
      limits: expect.objectContaining({ eventBytesMax: LIMITS.eventBytesMax }),
    });
  });

  it("[key.whoami] whoami leaves out bounds that exclude nothing", async () => {
    const scopes = ["read", "consume", "operate", "publish", "admin", "audit"];
    const root = await whoami(stack.adminKey);
    expect(root).toMatchObject({ tenant: "default", keyId: "root", scopes, streams: ["*"] });
    for (const member of ["expiresAt", "subscriptions", "keyPrefix"]) {
      expect(root).not.toHaveProperty(member);
    }
  });

  it("[key.whoami] whoami accepts every key, and no request without one", async () => {
    for (const scope of ["read", "consume", "operate", "publish", "admin"]) {
      const key = await post("/keys", { name: "k", scopes: [scope], streams: ["nothing"] });
      expect((await whoami(NewApiKey.parse(key).apiKey)).scopes).toEqual([scope]);
    }
    const target = { baseUrl: stack.url, apiKey: "" };
    const none = await send(target, { path: "/whoami", headers: { authorization: "" } });
    expect(none.status).toBe(401);
  });
});
