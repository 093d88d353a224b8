import { randomUUID } from "node:crypto";
import { PublishReceipt, StreamInfo } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { formatKey } from "../../../packages/core/src/access/key-text.ts";
import { createApp } from "../../../packages/functions/src/http/app.ts";
import { declaredScope } from "../../../packages/functions/src/http/auth.ts";
import { type Stack, startStack } from "../../stack/stack.ts";
import { type Answer, send } from "../wire.ts";
import { ask, properties } from "./ask.ts";
import { type DescribedOperation, operations } from "./openapi-operations.ts";
import { createWorld, type World } from "./world.ts";

/** Every operation of the OpenAPI document, with every kind of key that must not open it. */

let stack: Stack;
let world: World;

beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `access-${randomUUID()}` });
  world = await createWorld({ baseUrl: stack.url, apiKey: stack.adminKey });
});
afterAll(() => stack?.stop());

const keyed = operations.filter(({ scope }) => scope !== "public");
const scoped = keyed.filter(({ scope }) => scope !== "root");

describe("routes and scopes", () => {
  const unused = () => {
    throw new Error("Only the shape of the routes is looked at here");
  };
  const app = createApp({
    ledger: {},
    authenticate: unused,
    loadDocsAsset: unused,
    loadOpenApi: unused,
    logFailure: unused,
  } as never);
  const routes = Map.groupBy(
    app.routes.filter(({ method }) => method !== "ALL"),
    ({ method, path }) => `${method} ${path.replaceAll(/:([a-z]+)/gi, "{$1}")}`,
  );
  const scopesOf = (route: string) =>
    (routes.get(route) ?? []).flatMap(({ handler }) => declaredScope(handler) ?? []);

  it("[openapi.routes] declares exactly one scope on every route", () => {
    const undeclared = [...routes.keys()].filter((route) => scopesOf(route).length !== 1);
    expect(undeclared).toEqual([]);
  });

  it("[openapi.routes] describes every route that takes a key, with the scope it enforces", () => {
    const described = new Map(keyed.map(({ method, path, scope }) => [`${method} ${path}`, scope]));
    const enforced = [...routes.keys()]
      .map((route) => [route, scopesOf(route)[0]] as const)
      .filter(([, scope]) => scope !== "public");
    expect(Object.fromEntries(enforced)).toEqual(Object.fromEntries(described));
  });
});

const titled = (chosen: readonly DescribedOperation[]) =>
  chosen.map((operation) => ({ id: operation.id, operation }));
const namesIn = ({ path }: DescribedOperation) => path.includes("{");
const cursorsOf = ({ parameters }: DescribedOperation) =>
  parameters.filter(({ in: place, name }) => place === "query" && ["from", "after"].includes(name));
const takesCursor = (operation: DescribedOperation) =>
  cursorsOf(operation).length > 0 || "cursor" in properties(operation) || operation.id === "seek";

it.each(titled(keyed))(
  "[auth.key] $id tells nobody what is wrong with a key",
  async ({ operation }) => {
    const wrongs = {
      malformed: "nonsense",
      long: "x".repeat(300),
      "with a wrong checksum": world.full.slice(0, -1) + (world.full.endsWith("0") ? "1" : "0"),
      "of another installation": reissue(world.full, (body) => body.replace("_test_", "_live_")),
      "with an unknown id": reissue(world.full, (body) =>
        body.replace(/_[a-z0-9]{12}_/, "_zzzzzzzzzzzz_"),
      ),
      "with a wrong secret": reissue(world.full, (body) => body.replace(/.{4}$/, "AAAA")),
      expired: world.expired,
      revoked: world.revoked,
    };
    const answers = new Set<string>();
    for (const [wrong, apiKey] of Object.entries(wrongs)) {
      const answer = await ask(stack.url, operation, world.mine, apiKey);
      expect(answer.status, wrong).toBe(401);
      answers.add(essence(answer));
    }
    expect(answers.size).toBe(1);
    const none = await ask(stack.url, operation, world.mine, undefined);
    expect(none.body).toMatchObject({ status: 401, code: "unauthorized" });
  },
);

it.each(titled(keyed))("[key.scope] $id refuses a key without its scope", async ({ operation }) => {
  const answer = await ask(stack.url, operation, world.mine, world.without(operation.scope ?? ""));
  expect(answer.body).toMatchObject({ status: 403, code: "forbidden" });
});

describe.each(titled(scoped.filter(namesIn)))("$id", ({ operation }) => {
  it("[key.scope] answers what a key does not cover like a missing one", async () => {
    const missing = essence(await ask(stack.url, operation, world.missing, world.full));
    expect(JSON.parse(missing).status).toBe(404);
    expect(essence(await ask(stack.url, operation, world.mine, world.elsewhere))).toBe(missing);
  });

  it("[tenant.isolated] answers another tenant's like a missing one", async () => {
    const missing = essence(await ask(stack.url, operation, world.missing, world.full));
    expect(essence(await ask(stack.url, operation, world.theirs, world.full))).toBe(missing);
    expect(essence(await ask(stack.url, operation, world.mine, world.foreign))).toBe(missing);
  });
});

const lists = scoped.filter((operation) => !namesIn(operation) && operation.method === "GET");
it.each(titled(lists))("[tenant.isolated] $id lists nothing of others", async ({ operation }) => {
  const full = await ask(stack.url, operation, world.mine, world.full);
  expect(full.text).toMatch(new RegExp(`${world.mine.stream}|${world.mine.id}`));
  for (const apiKey of [world.elsewhere, world.foreign]) {
    const { status, text } = await ask(stack.url, operation, world.mine, apiKey);
    expect(status).toBe(200);
    expect(text).not.toContain(world.mine.stream);
    expect(text).not.toContain(world.mine.id);
  }
});

const followers = scoped.filter((operation) => namesIn(operation) && takesCursor(operation));
it.each(titled(followers))(
  "[tenant.isolated] $id refuses another tenant's cursor",
  async ({ operation }) => {
    const query = cursorsOf(operation).map(({ name }) => `?${name}=${world.theirs.cursor}`);
    const borrowed = { ...world.mine, cursor: world.theirs.cursor };
    const answer = await ask(stack.url, operation, borrowed, world.full, query.join(""));
    expect(answer.body).toMatchObject({ status: 400, code: "invalid-cursor" });
  },
);

describe("after all of these", () => {
  it("[error.nothing-written] nothing has changed", async () => {
    const target = { baseUrl: stack.url, apiKey: world.full };
    const { stream, subscription, id } = world.mine;
    const info = StreamInfo.parse((await send(target, { path: `/streams/${stream}` })).body);
    expect(info).toMatchObject({ eventCount: 1, subscriptionCount: 1, description: "" });
    const path = `/streams/${stream}/subscriptions/${subscription}`;
    expect((await send(target, { path })).body).toMatchObject({ lag: { events: 1 } });
    expect((await send(target, { path: "/keys?limit=500" })).text).toContain(id);
    const event = {
      method: "POST",
      path: `/streams/${stream}/events`,
      body: `{"key":"k","data":1}`,
    };
    const headers = { "content-type": "application/json" };
    const { body } = await send(target, { ...event, headers });
    expect(PublishReceipt.parse(body).events).toMatchObject([{ sequence: 2 }]);
  });
});

/** The same key with something else in it, and a checksum that is right again. */
function reissue(apiKey: string, change: (body: string) => string): string {
  const [kind, id, secret] = change(apiKey.slice(0, -6)).split("_").slice(1);
  return formatKey({ kind: kind === "live" ? "live" : "test", id: id ?? "", secret: secret ?? "" });
}

/** What an answer tells, without the name of its request. */
function essence({ status, body }: Answer): string {
  const { instance: _, ...problem } = body as Record<string, unknown>;
  return JSON.stringify({ status, ...problem });
}
