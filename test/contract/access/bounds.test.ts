import { randomUUID } from "node:crypto";
import { NewApiKey } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Stack, startStack } from "../../../packages/local/src/stack.ts";
import { at, type Client, createClient } from "../client.ts";
import { send } from "../wire.ts";
import { ask } from "./ask.ts";
import { BOUNDED_USES, type Bounded, PREFIX, SECRET } from "./bounds-uses.ts";
import { operations } from "./openapi-operations.ts";
import { SCOPES } from "./world.ts";

/**
 * These tests call every operation with keys that are bound to subscriptions and to a prefix of
 * event keys.
 */

let stack: Stack;
let root: Client;
beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `bounds-${randomUUID()}` });
  root = createClient({ baseUrl: stack.url, apiKey: stack.adminKey });
});
afterAll(() => stack?.stop());

async function make(bounds: object, apiKey = stack.adminKey) {
  const { body } = await send(
    { baseUrl: stack.url, apiKey },
    {
      method: "POST",
      path: "/keys",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "k", scopes: SCOPES, streams: ["*"], ...bounds }),
    },
  );
  return body;
}

const INSIDE = ["eu/1", "eu/parked", "eu/skipped", "eu/skipped-too"];
/** The total number of events. */
const EVENTS = 7;

/**
 * Creates a stream with events, states, subscriptions and parked keys inside and outside the
 * prefix.
 */
async function furnish(partitions: number): Promise<Bounded> {
  const stream = await root.newStream({ partitions });
  const { body } = await root.publish(stream, [
    { key: "eu/1", data: "mine" },
    { key: "eu/parked", data: "mine" },
    { key: `us/${SECRET}`, data: SECRET, headers: { [SECRET]: SECRET } },
    { key: `e/${SECRET}`, data: SECRET },
    { key: `us/parked-${SECRET}`, data: SECRET },
    { key: "eu/skipped", data: "mine" },
    { key: "eu/skipped-too", data: "mine" },
  ]);
  const filters = { own: PREFIX, all: undefined, wide: "e", others: `us/${SECRET}` };
  const cursors: Record<string, string> = {};
  for (const [name, keyPrefix] of Object.entries(filters)) {
    const filter = keyPrefix === undefined ? {} : { filter: { keyPrefix } };
    await root.createSubscription(stream, { name, ...filter });
    cursors[name] = (await root.poll(stream, name)).body.cursor;
  }
  const sequences = body.events.map(({ sequence }) => sequence);
  const park = (name: string, key: string, at: number) =>
    root.park(stream, name, { sequence: sequences[at] ?? 0, key, reason: `${SECRET}-of-${name}` });
  await park("all", `us/parked-${SECRET}`, 4);
  await root.park(stream, "own", { sequence: sequences[1] ?? 0, key: "eu/parked" });
  await root.park(stream, "own", { sequence: sequences[5] ?? 0, key: "eu/skipped" });
  await root.park(stream, "own", { sequence: sequences[6] ?? 0, key: "eu/skipped-too" });
  await root.compact(stream);
  const foreign = ["all", "wide", "others"];
  return { stream, own: "own", foreign, cursors: { ...cursors, any: cursors.own ?? "" } };
}

const within = operations.filter(({ bound }) => bound === "within").map(({ id }) => id);

it("[key.key-prefix] the tests cover every operation that accepts a bound key", () => {
  expect(Object.keys(BOUNDED_USES).sort()).toEqual([...within].sort());
});

describe.each([1, 4])("a key bound to a prefix, on %i partitions", (partitions) => {
  let world: Bounded;
  /** A second stream for operations that change something, in the order of the uses. */
  let spare: Bounded;
  let apiKey: string;
  beforeAll(async () => {
    world = await furnish(partitions);
    spare = await furnish(partitions);
    apiKey = NewApiKey.parse(await make({ keyPrefix: PREFIX })).apiKey;
  });
  const use = (call: Parameters<typeof send>[1]) => send({ baseUrl: stack.url, apiKey }, call);

  it.each(Object.keys(BOUNDED_USES))(
    "[key.key-prefix] %s shows nothing outside the prefix",
    async (id) => {
      const { within: inside } = BOUNDED_USES[id] ?? {};
      const answer = await use(inside?.(spare) ?? { path: "" });
      // On several partitions a sequence needs its key, which the example lacks.
      if (id !== "park" || partitions === 1) {
        expect(answer.status, answer.text).toBeOneOf([200, 201, 204]);
      }
      expect(answer.text).not.toContain(SECRET);
      expect(answer.header("eventledger-cursor")).not.toContain(SECRET);
    },
  );

  it.each(Object.keys(BOUNDED_USES))(
    "[key.key-prefix] %s refuses keys outside the prefix",
    async (id) => {
      for (const [code, call] of BOUNDED_USES[id]?.outside(world) ?? []) {
        const answer = await use(call);
        expect(answer.body, `${call.path} ${call.body}`).toMatchObject({ code });
        const { detail, errors } = answer.body as { detail: string; errors?: unknown };
        // An answer may repeat what the request itself has named.
        expect(`${call.path}${call.body}`.includes(SECRET) ? "" : answer.text).not.toContain(
          SECRET,
        );
        if (code === "forbidden") {
          expect(errors, detail).toMatchObject([{ detail: expect.stringContaining(PREFIX) }]);
        }
      }
      expect((await root.getStream(world.stream)).eventCount).toBe(EVENTS);
      expect((await root.listSubscriptions(world.stream)).body.subscriptions).toHaveLength(4);
      for (const name of world.foreign) {
        const { lag, parkedKeys } = await root.getSubscription(world.stream, name);
        expect(lag.events, name).toBe(EVENTS);
        expect(parkedKeys).toBe(name === "all" ? 1 : 0);
      }
    },
  );

  it("[key.key-prefix] a bound key reads everything inside the prefix, in pages of any size", async () => {
    const mine = createClient({ baseUrl: stack.url, apiKey });
    for (const limit of [1, 2, 500]) {
      const keys: string[] = [];
      for (let from = "earliest", done = false; !done; ) {
        const { body } = await mine.browse(world.stream, { from, limit });
        keys.push(...body.events.map(({ key }) => key));
        ({ cursor: from, caughtUp: done } = body);
      }
      expect(keys.sort()).toEqual(INSIDE);
      const states: string[] = [];
      for (let cursor: string | undefined, done = false; !done; ) {
        const page = await mine.listCompacted(world.stream, { cursor, limit });
        states.push(...page.items.map(({ key }) => key));
        expect(Buffer.from(page.cursor ?? "", "base64url").toString()).not.toContain(SECRET);
        cursor = page.cursor ?? undefined;
        done = cursor === undefined;
      }
      expect(states.sort()).toEqual(INSIDE);
    }
    for (const query of [{ order: "desc" }, { last: 100 }, { last: 100, keyPrefix: "e" }]) {
      const { body } = await mine.browse(world.stream, query);
      expect(body.events.map(({ key }) => key).sort()).toEqual(INSIDE);
    }
    const narrow = await mine.listCompacted(world.stream, { prefix: "eu/p" });
    expect(narrow.items.map(({ key }) => key)).toEqual(["eu/parked"]);
    const wide = await mine.listCompacted(world.stream, { prefix: "e" });
    expect(wide.items).toHaveLength(INSIDE.length);
    const { subscriptions } = (await mine.listSubscriptions(world.stream)).body;
    expect(subscriptions.map(({ name }) => name)).toEqual(["own"]);
    const { subscriptions: lags } = await mine.getStream(world.stream);
    expect(lags).toMatchObject([{ name: "own", lag: { events: EVENTS } }]);
    expect((await mine.poll(world.stream, "own")).body.events).toMatchObject([{ key: "eu/1" }]);
  });

  it("[delete.repeat] a bound key learns of a deletion only if it could have deleted the subscription", async () => {
    const prefixes = { inside: `${PREFIX}x`, own: PREFIX, outside: "us/", all: undefined };
    const stream = await root.newStream();
    for (const [name, keyPrefix] of Object.entries(prefixes)) {
      const filter = keyPrefix === undefined ? {} : { filter: { keyPrefix } };
      await root.createSubscription(stream, { name, ...filter });
      await root.deleteSubscription(stream, name);
    }
    const status = async (name: string) =>
      (await use({ method: "DELETE", path: at(stream, name) })).status;
    expect([await status("inside"), await status("own")]).toEqual([204, 204]);
    expect([await status("outside"), await status("all"), await status("none")]).toEqual([
      404, 404, 404,
    ]);
  });

  it("[key.key-prefix] a bound key sees no secret in a page of CloudEvents", async () => {
    const accept = { accept: "application/cloudevents-batch+json" };
    const { text } = await use({ path: `${at(world.stream)}/events`, headers: accept });
    expect(text).toContain("eu/1");
    expect(text).not.toContain(SECRET);
  });

  it("[key.key-prefix] a refused publish names each event outside the prefix", async () => {
    const events = [
      { key: "eu/1", data: 1 },
      { key: "x", data: 1 },
      { key: "eu/2", data: 1 },
      { key: "EU/3", data: 1 },
    ];
    const pointers = [{ pointer: "/events/1/key" }, { pointer: "/events/3/key" }];
    for (const [type, body] of [
      ["application/json", JSON.stringify({ events })],
      ["application/x-ndjson", events.map((event) => JSON.stringify(event)).join("\n")],
    ] as const) {
      const path = `${at(world.stream)}/events`;
      const answer = await use({ method: "POST", path, headers: { "content-type": type }, body });
      expect(answer.body).toMatchObject({ code: "forbidden", errors: pointers });
    }
    expect((await root.getStream(world.stream)).eventCount).toBe(EVENTS);
  });
});

describe("a key bound to subscriptions", () => {
  it("[key.subscriptions] a bound key sees no other subscription, by its name or in a list", async () => {
    const stream = await root.newStream();
    await root.publish(stream, { key: "k", data: 1 });
    const names = ["a.1", "a.2", "b", "b.1", "c"];
    for (const name of names) await root.createSubscription(stream, { name });
    const { apiKey } = NewApiKey.parse(await make({ subscriptions: ["a.*", "b"] }));
    const mine = createClient({ baseUrl: stack.url, apiKey });
    for (const limit of [1, 2, 3, 500]) {
      const seen: string[] = [];
      for (let cursor: string | undefined, done = false; !done; ) {
        const { body } = await mine.listSubscriptions(stream, { limit, cursor });
        expect(body.subscriptions.length).toBeLessThanOrEqual(limit);
        seen.push(...body.subscriptions.map(({ name }) => name));
        cursor = body.cursor ?? undefined;
        done = cursor === undefined;
        expect(["b.1", "c"]).not.toContain(Buffer.from(cursor ?? "", "base64url").toString());
      }
      expect(seen).toEqual(["a.1", "a.2", "b"]);
    }
    const lags = (await mine.getStream(stream)).subscriptions.map(({ name }) => name);
    expect(lags).toEqual(["a.1", "a.2", "b"]);
    expect((await mine.poll(stream, "a.1")).body.events).toHaveLength(1);
    expect((await mine.browse(stream)).body.events).toHaveLength(1);
    await mine.createSubscription(stream, { name: "a.3" });
    const create = { method: "POST", path: `${at(stream)}/subscriptions` };
    const headers = { "content-type": "application/json" };
    const target = { baseUrl: stack.url, apiKey };
    const refused = await send(target, { ...create, headers, body: '{"name":"d"}' });
    expect(refused.body).toMatchObject({ code: "forbidden", errors: [{ pointer: "/name" }] });
    for (const operation of operations.filter(({ path }) => path.includes("{subscription}"))) {
      const essence = async (subscription: string) => {
        const things = { stream, subscription, id: "", cursor: "", polled: "", shared: "" };
        const { cursor } = (await root.poll(stream, "c")).body;
        const asked = { ...things, cursor, worked: "", snapshot: "" };
        const { body } = await ask(stack.url, operation, asked, apiKey);
        const { instance: _, ...rest } = body as Record<string, unknown>;
        return rest;
      };
      expect(await essence("c"), operation.id).toEqual(await essence("a.missing"));
      expect(await essence("c")).toMatchObject({ code: "subscription-not-found" });
    }
  });
});

describe.each([
  ["a key prefix", { keyPrefix: PREFIX }],
  ["subscriptions", { subscriptions: ["s"] }],
])("a key bound to %s", (_, bounds) => {
  const refused = operations.filter(({ bound }) => bound === "refused");

  it.each(refused.map(({ id }) => id))("[key.key-prefix] a bound key may not %s", async (id) => {
    const stream = await root.newStream();
    const operation = refused.find((each) => each.id === id);
    if (operation === undefined) throw new Error(`no operation ${id}`);
    const names = { stream, subscription: "s", id: "", cursor: "", polled: "", shared: "" };
    const { apiKey } = NewApiKey.parse(await make(bounds));
    const asked = { ...names, worked: "", snapshot: "" };
    const { body } = await ask(stack.url, operation, asked, apiKey);
    expect(body).toMatchObject({ code: "forbidden", detail: expect.stringContaining("bound") });
    expect(await root.getStream(stream)).toMatchObject({ eventCount: 0 });
  });

  it("[key.rights] a bound key creates no key with wider bounds, and sees none", async () => {
    const { apiKey, id } = NewApiKey.parse(await make(bounds));
    expect(await make(bounds, apiKey)).toMatchObject(bounds);
    expect(await make({ keyPrefix: `${PREFIX}x`, subscriptions: ["s"] }, apiKey)).toMatchObject(
      "keyPrefix" in bounds ? { keyPrefix: `${PREFIX}x` } : bounds,
    );
    for (const less of [{}, { keyPrefix: "e" }, { subscriptions: ["*"] }]) {
      expect(await make(less, apiKey)).toMatchObject({ code: "forbidden" });
    }
    const free = NewApiKey.parse(await make({}));
    const { text } = await send({ baseUrl: stack.url, apiKey }, { path: "/keys?limit=500" });
    expect(text).toContain(id);
    expect(text).not.toContain(free.id);
  });
});

describe("the bounds of a new key", () => {
  it.each([
    ["/keyPrefix", { keyPrefix: "" }],
    ["/keyPrefix", { keyPrefix: "x".repeat(513) }],
    ["/keyPrefix", { keyPrefix: null }],
    ["/subscriptions", { subscriptions: [] }],
    ["/subscriptions", { subscriptions: ["a", "a"] }],
    ["/subscriptions/0", { subscriptions: ["A"] }],
    ["/subscriptions/0", { subscriptions: ["a*b"] }],
    ["/scopes", { scopes: [] }],
    ["/scopes/0", { scopes: ["write"] }],
  ])("[key.scope] are refused at %s for %j", async (pointer, wrong) => {
    expect(await make(wrong)).toMatchObject({ code: "invalid-request", errors: [{ pointer }] });
  });
});
