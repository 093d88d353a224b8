import { randomUUID } from "node:crypto";
import { PublishReceipt, StreamInfo, SubscriptionInfo } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { formatKey } from "../../../packages/core/src/access/key-text.ts";
import { createApp } from "../../../packages/functions/src/http/app.ts";
import { declaredRight } from "../../../packages/functions/src/http/auth.ts";
import { type Stack, startStack } from "../../../packages/local/src/stack.ts";
import { createClient } from "../client.ts";
import { type Answer, type Call, send } from "../wire.ts";
import { ask } from "./ask.ts";
import { CURSOR_KINDS, CURSOR_USES, takesCursor } from "./cursor-uses.ts";
import { type DescribedOperation, operations } from "./openapi-operations.ts";
import { createWorld, type Names, WORKER, type World } from "./world.ts";

/**
 * These tests call every operation of the OpenAPI document with every kind of key that must be
 * refused.
 */

let stack: Stack;
let world: World;

beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `access-${randomUUID()}` });
  world = await createWorld({ baseUrl: stack.url, apiKey: stack.adminKey });
});
afterAll(() => stack?.stop());

const keyed = operations.filter(({ scope }) => scope !== "public");
const unscoped = ["public", "any", "root"];
const scoped = keyed.filter(({ scope = "" }) => !unscoped.includes(scope));

describe("routes and scopes", () => {
  const unused = () => {
    throw new Error("Only the shape of the routes is looked at here");
  };
  const app = createApp({
    ledger: {},
    authenticate: unused,
    loadDocsAsset: unused,
    loadConsoleFile: unused,
    loadOpenApi: unused,
    logFailure: unused,
  } as never);
  const routes = Map.groupBy(
    app.routes.filter(({ method }) => method !== "ALL"),
    ({ method, path }) => `${method} ${path.replaceAll(/:([a-z]+)/gi, "{$1}")}`,
  );
  const rightsOf = (route: string) =>
    (routes.get(route) ?? []).flatMap(({ handler }) => declaredRight(handler) ?? []);

  it("[openapi.routes] every route declares exactly one right", () => {
    const undeclared = [...routes.keys()].filter((route) => rightsOf(route).length !== 1);
    expect(undeclared).toEqual([]);
  });

  it("[openapi.routes] every route that needs a key is documented with the right that it enforces", () => {
    const described = new Map(
      keyed.map(({ method, path, scopes, bound }) => [`${method} ${path}`, { scopes, bound }]),
    );
    const enforced = [...routes.keys()]
      .map((route) => [route, rightsOf(route)[0]] as const)
      .filter(([, right]) => right?.scopes[0] !== "public")
      .map(([route, right]) => [route, { scopes: right?.scopes, bound: right?.bound }] as const);
    expect(Object.fromEntries(enforced)).toEqual(Object.fromEntries(described));
  });
});

const titled = (chosen: readonly DescribedOperation[]) =>
  chosen.map((operation) => ({ id: operation.id, operation }));
const namesThings = ({ path }: DescribedOperation) => path.includes("{");

it.each(titled(keyed))(
  "[auth.key] $id never says what is wrong with a key",
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

const refusing = keyed.filter(({ scope }) => scope !== "any");
it.each(titled(refusing))("[key.scopes] $id refuses a key without its scopes", async (of) => {
  const { operation } = of;
  const answer = await ask(stack.url, operation, world.mine, world.without(operation.scopes));
  expect(answer.body).toMatchObject({ status: 403, code: "forbidden" });
});

const alone = scoped.flatMap((operation) =>
  operation.scopes.map((scope) => ({ id: operation.id, operation, scope })),
);
it.each(alone)("[key.scopes] $id accepts a key with only $scope", async ({ operation, scope }) => {
  const names = { ...world.mine, stream: "nowhere" };
  const answer = await ask(stack.url, operation, names, world.only(scope));
  expect(answer.status).not.toBe(401);
  expect(answer.text).not.toContain("needs the scope");
});

describe.each(titled(scoped.filter(namesThings)))("$id", ({ operation }) => {
  it("[key.scope] a key gets the same answer for an uncovered stream as for a missing one", async () => {
    const missing = essence(await ask(stack.url, operation, world.missing, world.full));
    expect(JSON.parse(missing).status).toBe(404);
    expect(essence(await ask(stack.url, operation, world.mine, world.elsewhere))).toBe(missing);
  });

  it("[tenant.isolated] another tenant's stream gets the same answer as a missing one", async () => {
    const missing = essence(await ask(stack.url, operation, world.missing, world.full));
    expect(essence(await ask(stack.url, operation, world.theirs, world.full))).toBe(missing);
    expect(essence(await ask(stack.url, operation, world.mine, world.foreign))).toBe(missing);
  });
});

const lists = scoped.filter((operation) => !namesThings(operation) && operation.method === "GET");
it.each(titled(lists))(
  "[tenant.isolated] $id lists nothing of other tenants",
  async ({ operation }) => {
    const full = await ask(stack.url, operation, world.mine, world.full);
    expect(full.text).toMatch(new RegExp(`${world.mine.stream}|${world.mine.id}`));
    for (const apiKey of [world.elsewhere, world.foreign]) {
      const { status, text } = await ask(stack.url, operation, world.mine, apiKey);
      expect(status).toBe(200);
      expect(text).not.toContain(world.mine.stream);
      expect(text).not.toContain(world.mine.id);
    }
  },
);

describe("cursors", () => {
  const as = (apiKey: string) => ({ baseUrl: stack.url, apiKey });

  it("[tenant.isolated] the tests cover every place that takes a cursor", () => {
    const uses = CURSOR_USES.map(({ operation }) => operation);
    const looked = new Set([...uses, ...LISTS.keys(), ...NUMBERED.keys()]);
    const described = scoped.filter(takesCursor).map(({ id }) => id);
    expect([...looked].sort()).toEqual(described.sort());
  });

  it.each(CURSOR_USES)(
    "[tenant.isolated] $operation accepts its own cursor as $as",
    async ({ own, call }) => {
      const { spare, full } = world;
      const answer = await send(as(full), call(spare, spare[own]));
      expect(answer.status, answer.text).toBeOneOf([200, 201, 202]);
    },
  );

  it.each(CURSOR_USES)(
    "[tenant.isolated] $operation refuses another tenant's cursor as $as",
    async (use) => {
      for (const kind of CURSOR_KINDS) {
        const answer = await send(as(world.full), use.call(world.mine, world.theirs[kind]));
        // The answer is the same as for another stream of this tenant, so it does not reveal that
        // the stream exists.
        const reason = "other-stream";
        expect(answer.body, kind).toMatchObject({ status: 400, code: "invalid-cursor", reason });
      }
    },
  );

  it.each(CURSOR_USES)(
    "[cursor.bound] $operation refuses another stream's cursor as $as",
    async (use) => {
      for (const kind of CURSOR_KINDS) {
        const answer = await send(as(world.full), use.call(world.mine, world.spare[kind]));
        const reason = "other-stream";
        expect(answer.body, kind).toMatchObject({ status: 400, code: "invalid-cursor", reason });
      }
    },
  );

  /**
   * A cursor of streams or keys contains the name after which the list continues. That name is not
   * secret, but the cursor must not show names of other tenants. A cursor of a stream's content is
   * refused by every other stream.
   */
  const LISTS = new Map<string, (names: Names) => string>([
    ["listStreams", () => "/streams"],
    ["listKeys", () => "/keys"],
    ["getUsage", () => "/usage?by=stream&step=day"],
    ["listSubscriptions", ({ stream }) => `/streams/${stream}/subscriptions`],
    [
      "listParked",
      ({ stream, subscription }) => `/streams/${stream}/subscriptions/${subscription}/parked`,
    ],
  ]);

  const extended = (path: string, query: string) =>
    `${path}${path.includes("?") ? "&" : "?"}${query}`;

  it.each([...LISTS])(
    "[tenant.isolated] %s shows nothing of other tenants after their cursor",
    async (_, path) => {
      const start = await send(as(world.foreign), {
        path: extended(path(world.theirs), "limit=1"),
      });
      const { cursor } = start.body as { cursor: string };
      expect(cursor, start.text).toEqual(expect.any(String));
      const query = `cursor=${cursor}&limit=500`;
      const own = await send(as(world.foreign), {
        path: extended(path(world.theirs), query),
      });
      const names = namesIn(own);
      expect(names).not.toEqual([]);
      const { status, text } = await send(as(world.full), {
        path: extended(path(world.mine), query),
      });
      expect(status).toBe(path(world.mine).includes(world.mine.stream) ? 400 : 200);
      for (const name of names) expect(text).not.toContain(name);
    },
  );

  /** Cursors that name their stream, and then only a number. */
  const NUMBERED = new Map<string, (names: Names, cursor: string) => Call>([
    [
      "listArchive",
      ({ stream }, cursor) => ({ path: `/streams/${stream}/archive?cursor=${cursor}` }),
    ],
    [
      "verifyArchive",
      ({ stream }, cursor) => ({
        method: "POST",
        path: `/streams/${stream}/archive/verify?cursor=${cursor}`,
      }),
    ],
    [
      "getExport",
      ({ stream }, cursor) => ({
        path: `/streams/${stream}/exports/${"0".repeat(18)}?cursor=${cursor}`,
      }),
    ],
    [
      "listErasures",
      ({ stream }, cursor) => ({ path: `/streams/${stream}/erasures?cursor=${cursor}` }),
    ],
    [
      "verifyErasure",
      ({ stream }, cursor) => ({
        method: "POST",
        path: `/streams/${stream}/erasures/${"0".repeat(24)}/verify?cursor=${cursor}`,
      }),
    ],
    [
      "listPushDeliveries",
      ({ stream, subscription }, cursor) => ({
        path: `/streams/${stream}/subscriptions/${subscription}/push/deliveries?cursor=${cursor}`,
      }),
    ],
  ]);

  const KINDS: Readonly<Record<string, string>> = {
    listArchive: "archive",
    verifyArchive: "verified",
    getExport: "export",
    listErasures: "erasures",
    verifyErasure: "erased",
    listPushDeliveries: "deliveries",
  };
  /** These are missing in this world, which is noticed before the cursor is read. */
  const MISSING: Readonly<Record<string, string>> = {
    getExport: "export-not-found",
    verifyErasure: "erasure-not-found",
    listPushDeliveries: "push-not-found",
  };

  it.each([...NUMBERED])(
    "[tenant.isolated] %s refuses the cursor of another stream",
    async (id, call) => {
      const kind = KINDS[id];
      const cursor = Buffer.from(`${kind} ${world.theirs.stream}:0`).toString("base64url");
      const { body } = await send(as(world.full), call(world.mine, cursor));
      const refused = MISSING[id] ?? "invalid-cursor";
      expect(body).toMatchObject({ code: refused });
    },
  );

  /** Returns the names in a page of a list. */
  const namesIn = ({ body }: Answer): string[] =>
    Object.values(
      body as Record<string, Partial<Record<"id" | "name" | "stream" | "reason", string>>[]>,
    )
      .flatMap((items) => (Array.isArray(items) ? items : []))
      .map(({ id, name, stream, reason }) => id ?? name ?? stream ?? String(reason));
});

describe("workers of another tenant", () => {
  const membersOf = async ({ stream, shared }: Names) => {
    const path = `/streams/${stream}/subscriptions/${shared}`;
    const { body } = await send({ baseUrl: stack.url, apiKey: world.foreign }, { path });
    return SubscriptionInfo.parse(body).members;
  };
  const requests = ({ stream, shared }: Names, cursor: string): Call[] => {
    const path = `/streams/${stream}/subscriptions/${shared}`;
    const post = (at: string, json: object): Call => ({
      method: "POST",
      path: `${path}/${at}`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
    });
    return [
      { path: `${path}/poll?consumer=${WORKER}` },
      { path: `${path}/poll?consumer=intruder` },
      post("poll", { consumer: WORKER, commit: cursor }),
      post("commit", { cursor }),
      post("leave", { consumer: WORKER }),
    ];
  };
  const mine = () => ({ baseUrl: stack.url, apiKey: world.full });

  it("[tenant.isolated] workers keep their leases when another tenant polls, commits or leaves under their name", async () => {
    const before = await membersOf(world.theirs);
    expect(before).toMatchObject([{ consumer: WORKER, share: 1 }]);
    const { missing, theirs } = world;
    const nowhere = { ...missing, shared: missing.subscription };
    const absent = requests(nowhere, theirs.worked);
    for (const [index, call] of requests(theirs, theirs.worked).entries()) {
      const answer = await send(mine(), call);
      expect(answer.status).toBe(404);
      const like = await send(mine(), absent[index] ?? call);
      expect(essence(answer)).toBe(essence(like));
    }
    expect(await membersOf(theirs)).toEqual(before);
  });

  it("[tenant.isolated] workers keep their leases when everything in another tenant has the same names", async () => {
    const before = await membersOf(world.theirs);
    const { stream, shared } = world.theirs;
    const api = createClient(mine());
    await api.createStream({ name: stream });
    await api.createSubscription(stream, { name: shared });
    const { cursor } = (await api.poll(stream, shared, { consumer: WORKER })).body;
    for (const call of requests(world.theirs, cursor)) {
      expect((await send(mine(), call)).status).toBeOneOf([200, 204]);
    }
    const foreign = requests(world.theirs, world.theirs.worked).slice(2, 4);
    for (const call of foreign) {
      const { body } = await send(mine(), call);
      expect(body).toMatchObject({ code: "invalid-cursor", reason: "other-stream" });
    }
    expect(await membersOf(world.theirs)).toEqual(before);
    await api.deleteStream(stream);
    const target = { baseUrl: stack.url, apiKey: world.foreign };
    const [, , , commit] = requests(world.theirs, world.theirs.worked);
    const answer = await send(target, commit ?? { path: "" });
    expect(answer.body).toMatchObject({ stale: false, lag: { events: 0 } });
  });
});

describe("after all of these", () => {
  it("[error.nothing-written] nothing has changed", async () => {
    const target = { baseUrl: stack.url, apiKey: world.full };
    const { stream, subscription, shared, id } = world.mine;
    const info = StreamInfo.parse((await send(target, { path: `/streams/${stream}` })).body);
    expect(info).toMatchObject({ eventCount: 2, subscriptionCount: 2, description: "" });
    for (const [name, members] of [
      [subscription, []],
      [shared, [{ consumer: WORKER, share: 1 }]],
    ] as const) {
      const path = `/streams/${stream}/subscriptions/${name}`;
      expect((await send(target, { path })).body).toMatchObject({ lag: { events: 2 }, members });
    }
    expect((await send(target, { path: "/keys?limit=500" })).text).toContain(id);
    const event = {
      method: "POST",
      path: `/streams/${stream}/events`,
      body: `{"key":"k","data":1}`,
    };
    const headers = { "content-type": "application/json" };
    const { body } = await send(target, { ...event, headers });
    expect(PublishReceipt.parse(body).events).toMatchObject([{ sequence: 3 }]);
  });
});

/** Returns the same key with a changed body and a valid checksum. */
function reissue(apiKey: string, change: (body: string) => string): string {
  const [kind, id, secret] = change(apiKey.slice(0, -6)).split("_").slice(1);
  return formatKey({ kind: kind === "live" ? "live" : "test", id: id ?? "", secret: secret ?? "" });
}

/** Returns an answer without the parts that differ between requests. */
function essence({ status, body }: Answer): string {
  const { instance: _, ...problem } = body as Record<string, unknown>;
  return JSON.stringify({ status, ...problem });
}
