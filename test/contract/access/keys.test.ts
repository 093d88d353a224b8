import { randomUUID } from "node:crypto";
import {
  ApiKeyList,
  LIMITS,
  NewApiKey,
  NewTenant,
  RotatedApiKey,
  StreamList,
  TenantList,
} from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Stack, startStack } from "../../../packages/local/src/stack.ts";
import { asJson, send } from "../wire.ts";
import { SCOPES } from "./world.ts";

let stack: Stack;
beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `keys-${randomUUID()}` });
});
afterAll(() => stack?.stop());

const ask = (method: string, path: string, json?: unknown, apiKey = stack.adminKey) =>
  send({ baseUrl: stack.url, apiKey }, { method, path, ...asJson(json) });

const make = async (scopes: string[], streams: string[], apiKey?: string) => {
  const answer = await ask("POST", "/keys", { name: "k", scopes, streams }, apiKey);
  expect(answer.status, answer.text).toBe(201);
  expect(answer.header("cache-control")).toBe("no-store");
  return NewApiKey.parse(answer.body);
};

const makeTenant = async (name: string) =>
  NewTenant.parse((await ask("POST", "/tenants", { name })).body);

describe("API keys", () => {
  it("[key.form] a key is shown once and has the promised form", async () => {
    const { id, apiKey } = await make(["consume"], ["orders"]);
    expect(apiKey).toMatch(new RegExp(`^elk_test_${id}_[0-9A-Za-z]{32}[0-9A-Za-z]{6}$`));
    const secret = apiKey.slice(-38, -6);
    expect((await ask("GET", "/keys?limit=500")).text).toContain(id);
    expect((await ask("GET", "/keys?limit=500")).text).not.toContain(secret);
  });

  it("[auth.key] a key is accepted as a bearer token and in X-Api-Key", async () => {
    const { apiKey } = await make(["read"], ["*"]);
    const target = { baseUrl: stack.url, apiKey };
    expect((await send(target, { path: "/streams" })).status).toBe(200);
    const headers = { authorization: "", "x-api-key": apiKey };
    expect((await send(target, { path: "/streams", headers })).status).toBe(200);
    const query = await send(target, {
      path: `/streams?apiKey=${apiKey}`,
      headers: { authorization: "" },
    });
    expect(query.status).toBe(401);
  });

  it("[key.rights] a key cannot grant more than it has", async () => {
    const { apiKey } = await make(["admin", "publish"], ["billing.*"]);
    await make(["publish"], ["billing.eu"], apiKey);
    await make(["admin"], ["billing.eu.*", "billing.x"], apiKey);
    for (const [scopes, streams] of [
      [["consume"], ["billing.eu"]],
      [["publish"], ["billing*"]],
      [["publish"], ["*"]],
      [["publish"], ["billing.eu", "orders"]],
      [["admin", "publish", "consume"], ["billing.*"]],
    ]) {
      const answer = await ask("POST", "/keys", { name: "k", scopes, streams }, apiKey);
      expect(answer.body).toMatchObject({ status: 403, code: "forbidden" });
    }
  });

  it("[key.rights] a key sees, rotates and revokes only keys with no more rights", async () => {
    const small = await make(["admin"], ["billing.*"]);
    const large = await make(["admin"], ["*"]);
    const wider = await make(["admin", "consume"], ["billing.*"]);
    const page = ApiKeyList.parse(
      (await ask("GET", "/keys?limit=500", undefined, small.apiKey)).body,
    );
    const ids = page.keys.map(({ id }) => id);
    expect(ids).toContain(small.id);
    expect(ids).not.toContain(large.id);
    for (const { id } of [large, wider]) {
      expect((await ask("POST", `/keys/${id}/rotate`, {}, small.apiKey)).status).toBe(404);
      expect((await ask("DELETE", `/keys/${id}`, undefined, small.apiKey)).status).toBe(404);
    }
    expect((await ask("DELETE", `/keys/${small.id}`, undefined, small.apiKey)).status).toBe(204);
    expect((await ask("GET", "/keys", undefined, small.apiKey)).status).toBe(401);
  });

  it("[delete.repeat] a key learns of a revocation only if it could have revoked the key", async () => {
    const small = await make(["admin"], ["billing.*"]);
    const twin = await make(["admin"], ["billing.*"]);
    const large = await make(["admin"], ["*"]);
    const bound = await ask("POST", "/keys", {
      name: "k",
      scopes: ["admin", "consume"],
      streams: ["billing.*"],
      keyPrefix: "eu/",
    });
    const others = [large.id, NewApiKey.parse(bound.body).id, "abcdefghijkl"];
    for (const id of [twin.id, ...others.slice(0, 2)]) {
      for (let n = 0; n < 2; n++) expect((await ask("DELETE", `/keys/${id}`)).status).toBe(204);
    }
    const status = async (id: string) =>
      (await ask("DELETE", `/keys/${id}`, undefined, small.apiKey)).status;
    expect(await status(twin.id)).toBe(204);
    const answers = await Promise.all(
      others.map((id) => ask("DELETE", `/keys/${id}`, undefined, small.apiKey)),
    );
    const { instance: _, ...first } = (answers[0]?.body ?? {}) as Record<string, unknown>;
    expect(first).toMatchObject({ status: 404, code: "api-key-not-found" });
    for (const { body } of answers) expect(body).toMatchObject(first);
  });

  describe("that end soon", () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const later = new Date(Date.now() + 7_200_000).toISOString();
    const everything = { name: "k", scopes: [...SCOPES], streams: ["*"] };
    const until = async (expiresAt: string) =>
      NewApiKey.parse((await ask("POST", "/keys", { ...everything, expiresAt })).body);

    it("[key.rights] an expiring key creates keys that expire no later", async () => {
      const { apiKey } = await until(soon);
      const made = NewApiKey.parse((await ask("POST", "/keys", everything, apiKey)).body);
      expect(made.expiresAt).toBe(soon);
      const sooner = new Date(Date.parse(soon) - 1_000).toISOString();
      for (const expiresAt of [sooner, soon]) {
        const answer = await ask("POST", "/keys", { ...everything, expiresAt }, apiKey);
        expect(answer.body).toMatchObject({ expiresAt });
      }
      const over = await ask("POST", "/keys", { ...everything, expiresAt: later }, apiKey);
      expect(over.body).toMatchObject({
        code: "invalid-request",
        errors: [{ pointer: "/expiresAt", detail: expect.stringContaining(soon) }],
      });
    });

    it("[key.rights] an expiring key rotates no key, nor itself, beyond its own expiry", async () => {
      const [own, other] = [await until(soon), await until(later)];
      const rotate = (id: string, how: object, apiKey = own.apiKey) =>
        ask("POST", `/keys/${id}/rotate`, how, apiKey);
      expect((await rotate(own.id, {})).body).toMatchObject({ expiresAt: soon });
      expect((await rotate(other.id, {}, other.apiKey)).body).toMatchObject({ expiresAt: later });
      expect((await rotate(own.id, { expiresAt: later })).body).toMatchObject({
        code: "invalid-request",
        errors: [{ pointer: "/expiresAt", detail: expect.stringContaining(soon) }],
      });
      for (const how of [{ expiresAt: later }, { expiresAt: soon }, {}]) {
        const refused = (await rotate(other.id, how)).body;
        expect(refused).toMatchObject({
          code: "forbidden",
          detail: expect.stringContaining(later),
        });
      }
      const listed = ApiKeyList.parse((await ask("GET", "/keys?limit=500")).body).keys;
      expect(listed.find(({ id }) => id === other.id)).toMatchObject({ expiresAt: later });
    });

    it("[key.rotated] rotating makes only the caller's own key expire earlier", async () => {
      const [own, other] = [await until(later), await until(soon)];
      const rotate = async (id: string, how: object, apiKey = own.apiKey) =>
        (await ask("POST", `/keys/${id}/rotate`, how, apiKey)).body;
      const sooner = new Date(Date.parse(soon) - 1_000).toISOString();
      for (const apiKey of [own.apiKey, stack.adminKey]) {
        expect(await rotate(other.id, { expiresAt: sooner }, apiKey)).toMatchObject({
          code: "invalid-request",
          errors: [{ pointer: "/expiresAt", detail: expect.stringContaining(soon) }],
        });
        expect(await rotate(other.id, {}, apiKey)).toMatchObject({ expiresAt: soon });
      }
      expect(await rotate(other.id, { expiresAt: later })).toMatchObject({ expiresAt: later });
      expect(await rotate(own.id, { expiresAt: soon })).toMatchObject({ expiresAt: soon });
    });
  });

  it("[key.scope] a key creates only streams that it covers, and lists only those", async () => {
    const { apiKey } = await make(["admin", "read"], ["a.*", "b", "a.b*"]);
    for (const name of ["a.a", "a.b", "a.c", "b"]) {
      expect((await ask("POST", "/streams", { name }, apiKey)).status).toBe(201);
    }
    for (const name of ["a", "b.b", "c"]) {
      expect((await ask("POST", "/streams", { name }, apiKey)).body).toMatchObject({ status: 403 });
      expect((await ask("POST", "/streams", { name })).status).toBe(201);
    }
    for (const limit of [1, 2, 3, 4, 5]) {
      const names: string[] = [];
      let cursor: string | null = null;
      do {
        const more: string = cursor === null ? "" : `&cursor=${cursor}`;
        const { body } = await ask("GET", `/streams?limit=${limit}${more}`, undefined, apiKey);
        const page = StreamList.parse(body);
        expect(page.streams.length).toBeLessThanOrEqual(limit);
        names.push(...page.streams.map(({ name }) => name));
        cursor = page.cursor;
      } while (cursor !== null);
      expect(names).toEqual(["a.a", "a.b", "a.c", "b"]);
    }
  });

  it("[key.rotated] a rotated key keeps its id and rights, and both secrets for a while", async () => {
    const { apiKey, ...made } = await make(["read"], ["*"]);
    const { body } = await ask("POST", `/keys/${made.id}/rotate`, { overlapSeconds: 60 });
    const rotated = RotatedApiKey.parse(body);
    expect(rotated).toMatchObject({ ...made, lastUsedAt: null, rotatedAt: expect.any(String) });
    for (const secret of [apiKey, rotated.apiKey]) {
      expect((await ask("GET", "/streams", undefined, secret)).status).toBe(200);
    }
  });

  it("[key.expiry] a key expires within a year", async () => {
    const config = { name: "k", scopes: ["consume"], streams: ["*"] };
    const day = 86_400_000;
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const expiring = (expiresAt: string) => ask("POST", "/keys", { ...config, expiresAt });
    expect((await expiring(at(LIMITS.keyDaysMax * day - 5_000))).status).toBe(201);
    for (const wrong of [at(LIMITS.keyDaysMax * day + 5_000), at(-1)]) {
      expect((await expiring(wrong)).body).toMatchObject({
        code: "invalid-request",
        errors: [{ pointer: "/expiresAt" }],
      });
    }
  });

  it("[list.page] paging visits every key once", async () => {
    const { apiKey } = (await makeTenant("pages")).adminKey;
    const made = new Set<string>();
    for (let i = 0; i < 7; i++) made.add((await make(["consume"], ["*"], apiKey)).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? "" : `&cursor=${cursor}`;
      const { body } = await ask("GET", `/keys?limit=3${more}`, undefined, apiKey);
      const page = ApiKeyList.parse(body);
      expect(page.keys.length).toBeLessThanOrEqual(3);
      seen.push(...page.keys.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(8);
    expect(seen).toEqual([...seen].sort());
    expect(seen).toEqual(expect.arrayContaining([...made]));
  });
});

describe("a list of keys", () => {
  it("[key.rights] a list reveals no keys with more rights, not even by its cursors", async () => {
    const root = (await makeTenant("hidden")).adminKey.apiKey;
    const small = await make(["admin"], ["billing.*"], root);
    const visible = new Set([small.id]);
    const hidden: string[] = [];
    for (let i = 0; i < 12; i++) hidden.push((await make(["consume"], ["*"], root)).id);
    for (let i = 0; i < 2; i++) visible.add((await make(["admin"], ["billing.eu"], root)).id);
    for (const limit of [1, 2, 3, 4, 500]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const more: string = cursor === null ? "" : `&cursor=${cursor}`;
        const { body } = await ask("GET", `/keys?limit=${limit}${more}`, undefined, small.apiKey);
        const page = ApiKeyList.parse(body);
        seen.push(...page.keys.map(({ id }) => id));
        cursor = page.cursor;
        if (cursor !== null) {
          expect(page.keys).toHaveLength(limit);
          const decoded = Buffer.from(cursor, "base64url").toString();
          expect(hidden).not.toContain(decoded);
        }
      } while (cursor !== null);
      expect(seen).toEqual([...visible].sort());
    }
  });
});

describe("tenants", () => {
  it("[tenant.root] only the admin key creates and lists tenants", async () => {
    const { adminKey, name } = await makeTenant("acme");
    expect(name).toBe("acme");
    const { apiKey } = await make(["admin", "publish", "consume"], ["*"]);
    for (const key of [adminKey.apiKey, apiKey]) {
      expect((await ask("GET", "/tenants", undefined, key)).status).toBe(403);
      expect((await ask("POST", "/tenants", { name: "acme2" }, key)).status).toBe(403);
    }
    const list = TenantList.parse((await ask("GET", "/tenants")).body);
    expect(list.tenants.map((tenant) => tenant.name)).toContain("acme");
    expect(list.tenants.map((tenant) => tenant.name)).not.toContain("acme2");
  });

  it("[tenant.root] creating a tenant again adds one more key, and changes nothing else", async () => {
    const first = await makeTenant("twice");
    const again = await ask("POST", "/tenants", { name: "twice" });
    expect(again.status).toBe(200);
    const second = NewTenant.parse(again.body);
    expect(second.createdAt).toBe(first.createdAt);
    expect(second.adminKey.id).not.toBe(first.adminKey.id);
    for (const { adminKey } of [first, second]) {
      expect((await ask("GET", "/streams", undefined, adminKey.apiKey)).status).toBe(200);
    }
  });

  it("[tenant.isolated] tenants use the same names for different streams", async () => {
    const [one, other] = [await makeTenant("one"), await makeTenant("one.more")];
    const keys = [one.adminKey.apiKey, other.adminKey.apiKey, stack.adminKey];
    for (const [at, apiKey] of keys.entries()) {
      await ask("POST", "/streams", { name: "same", description: `of ${at}` }, apiKey);
      await ask("POST", "/streams/same/events", { key: "k", data: at }, apiKey);
    }
    for (const [at, apiKey] of keys.entries()) {
      const { body } = await ask("GET", "/streams/same/events", undefined, apiKey);
      expect(body).toMatchObject({ events: [{ sequence: 1, data: at }] });
    }
    await ask("DELETE", "/streams/same", undefined, keys[0]);
    expect((await ask("GET", "/streams/same", undefined, keys[0])).status).toBe(404);
    expect((await ask("GET", "/streams/same", undefined, keys[1])).status).toBe(200);
  });

  it("[tenant.root] a tenant cannot have the name of the default tenant", async () => {
    expect((await ask("POST", "/tenants", { name: "default" })).status).toBe(400);
    for (const name of ["", "A", "a/b", "a#b", ".a", "a".repeat(LIMITS.tenantCharsMax + 1)]) {
      expect((await ask("POST", "/tenants", { name })).status, name).toBe(400);
    }
    expect(
      (await ask("POST", "/tenants", { name: "a".repeat(LIMITS.tenantCharsMax) })).status,
    ).toBe(201);
  });
});
