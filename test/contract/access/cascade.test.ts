import { randomUUID } from "node:crypto";
import { ApiKeyList, NewApiKey } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { rootCaller } from "../../../packages/core/src/access/permission.ts";
import { systemClock } from "../../../packages/core/src/kernel/clock.ts";
import { tenantOf } from "../../../packages/core/src/model/names.ts";
import { openLedger } from "../../../packages/functions/src/open-ledger.ts";
import { type Stack, startStack } from "../../../packages/local/src/stack.ts";
import { createTestTable } from "../../support/test-table.ts";
import { asJson, send } from "../wire.ts";

/** These tests revoke a key together with the keys that it created. */

let stack: Stack;
beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `cascade-${randomUUID()}` });
});
afterAll(() => stack?.stop());

const call = (method: string, path: string, json?: object, apiKey = stack.adminKey) =>
  send({ baseUrl: stack.url, apiKey }, { method, path, ...asJson(json) });

const RIGHTS = { name: "k", scopes: ["admin", "read"], streams: ["*"] };
const make = async (apiKey?: string) =>
  NewApiKey.parse((await call("POST", "/keys", RIGHTS, apiKey)).body);
const present = async () =>
  ApiKeyList.parse((await call("GET", "/keys?limit=500")).body).keys.map(({ id }) => id);

/** Key a created b and c, and b created d. Key e belongs to another creator. */
async function family() {
  const [a, e] = [await make(), await make()];
  const [b, c] = [await make(a.apiKey), await make(a.apiKey)];
  const d = await make(b.apiKey);
  return { a, b, c, d, e };
}

describe("revoking a key", () => {
  it("[key.cascade] revoking ends only the key itself by default", async () => {
    const { a, b, c, d, e } = await family();
    for (const path of [`/keys/${a.id}`, `/keys/${c.id}?cascade=false`]) {
      expect((await call("DELETE", path)).status).toBe(204);
    }
    const ids = await present();
    expect(ids).toEqual(expect.arrayContaining([b.id, d.id, e.id]));
    expect(ids).not.toContain(a.id);
    expect((await call("GET", "/whoami", undefined, d.apiKey)).status).toBe(200);
  });

  it("[key.cascade] a cascade ends every key that it created and their keys, and nothing else", async () => {
    const { a, b, c, d, e } = await family();
    expect((await call("DELETE", `/keys/${a.id}?cascade=true`)).status).toBe(204);
    for (const { apiKey } of [a, b, c, d]) {
      expect((await call("GET", "/whoami", undefined, apiKey)).status).toBe(401);
    }
    expect(await present()).toContain(e.id);
    expect((await call("GET", "/whoami", undefined, e.apiKey)).status).toBe(200);
    expect((await call("DELETE", `/keys/${a.id}?cascade=true`)).status).toBe(204);
    expect((await call("DELETE", "/keys/abcdefghijkl?cascade=true")).status).toBe(404);
  });

  it("[key.cascade] a cascade continues with the remaining keys when keys in between are gone", async () => {
    const { a, b, d } = await family();
    for (const { id } of [a, b]) await call("DELETE", `/keys/${id}`);
    expect((await call("DELETE", `/keys/${a.id}?cascade=true`)).status).toBe(204);
    expect((await call("GET", "/whoami", undefined, d.apiKey)).status).toBe(401);
  });

  it("[key.cascade] a cascade cannot end keys that the caller must not know of", async () => {
    const { a, b } = await family();
    const narrow = { ...RIGHTS, scopes: ["admin"] };
    const { apiKey } = NewApiKey.parse((await call("POST", "/keys", narrow)).body);
    expect((await call("DELETE", `/keys/${a.id}?cascade=true`, undefined, apiKey)).status).toBe(
      404,
    );
    expect(await present()).toEqual(expect.arrayContaining([a.id, b.id]));
  });

  it.each(["yes", "1", "", "true&cascade=false"])(
    "[key.cascade] the server refuses cascade=%s",
    async (how) => {
      const { id } = await make();
      expect((await call("DELETE", `/keys/${id}?cascade=${how}`)).body).toMatchObject({
        code: "invalid-request",
        errors: [{ pointer: "/query/cascade" }],
      });
      expect(await present()).toContain(id);
    },
  );
});

it("[key.cascade] a revoked key creates no other, even where a process still trusts it", async () => {
  const { endpoint, tableName } = await createTestTable();
  const keys = { adminKey: "the-admin-key-of-two-servers", cursorKey: "a-cursor-key-of-two" };
  const open = () => openLedger({ endpoint, tableName, region: "us-east-1", ...keys });
  const [here, there] = [open(), open()];
  try {
    const config = { name: "k", scopes: ["admin" as const], streams: ["*"] };
    const { id, apiKey } = await here.ledger.access.createKey(rootCaller, config);
    const from = { host: "", origin: undefined, site: undefined };
    const caller = (await there.authenticate(apiKey, from))?.caller;
    if (caller === undefined) throw new Error("the key is not known");
    await there.ledger.access.createKey(caller, config);
    await here.ledger.access.revokeKey(rootCaller, id, { cascade: true });
    expect((await there.authenticate(apiKey, from))?.caller.keyId).toBe(id);
    await expect(there.ledger.access.createKey(caller, config)).rejects.toMatchObject({
      code: "unauthorized",
    });
    const { keys: left } = await here.ledger.access.listKeys(rootCaller, { limit: 10 });
    expect(left).toEqual([]);
    expect(caller.tenant).toBe(tenantOf("default"));
    expect(caller.validUntil).toBeGreaterThan(systemClock.now());
  } finally {
    here.close();
    there.close();
  }
});
