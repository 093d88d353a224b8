import { AUDIT_STREAM, EventPage, NewTenant } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as described from "../../packages/protocol/src/described/index.ts";
import { ask } from "./access/ask.ts";
import { type DescribedOperation, operations } from "./access/openapi-operations.ts";
import { createWorld, type World } from "./access/world.ts";
import { openArchivedTarget } from "./archived-target.ts";
import { createClient, newName } from "./client.ts";
import type { Answer } from "./wire.ts";

/**
 * These tests check the audit stream of a tenant: what is recorded, who reads it, and what happens
 * to a change.
 */

let aheadMs = 0;
let isSilenced = (_commandName: string): boolean => false;
let isHurried = false;
const { api, opened, url, close } = await openArchivedTarget(() => aheadMs, {
  auditArchiveDays: 400,
  isHurried: () => isHurried,
});
let world: World;
beforeAll(async () => {
  world = await createWorld({ baseUrl: url, apiKey: api.target.apiKey });
}, 60_000);
afterAll(close);

const PATH = `/streams/${AUDIT_STREAM}`;

type Entry = {
  readonly call: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly requestId: string;
  readonly request?: Record<string, unknown>;
  readonly problem?: string;
  readonly denialsLeftOut?: number;
};

const as = (apiKey: string) => createClient({ baseUrl: url, apiKey });
const sendJson = (by: ReturnType<typeof as>, method: string, path: string, json?: object) =>
  by.send({
    method,
    path,
    headers: { "content-type": "application/json" },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });

/** Reads the whole audit stream of a tenant. */
async function readAll(apiKey: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let from = "earliest"; ; ) {
    const answer = await as(apiKey).send({ path: `${PATH}/events?limit=1000&from=${from}` });
    expect(answer.status, answer.text).toBe(200);
    const page = EventPage.parse(answer.body);
    for (const { key, type, time, data } of page.events) {
      const entry = data as Entry;
      expect({ key, type }).toEqual({ key: entry.target, type: entry.action });
      expect(Date.parse(time ?? "")).toBeGreaterThan(0);
      entries.push(entry);
    }
    if (page.caughtUp) return entries;
    from = page.cursor;
  }
}

const entriesOf = async (apiKey: string, answer: Answer) =>
  (await readAll(apiKey)).filter(({ requestId }) => requestId === answer.header("x-request-id"));

/** These operations use the data, or run background work earlier. They change no setting. */
const NOT_AUDITED = new Set([
  ...["publishEvents", "commit", "leave"],
  ...["compactStream", "archiveStream", "verifyArchive", "verifyErasure", "checkSchemas"],
]);
const REPAIRS = new Set(["completeRestore", "repairNumbering"]);
/** The example of `commitAndPoll` waits for 20 s. It has a test of its own. */
const changing = operations.filter(
  ({ method, scope, id }) => method !== "GET" && scope !== "public" && id !== "commitAndPoll",
);
/** Operations that end what others use come last. */
const ends = ({ id, path }: DescribedOperation): number =>
  /^(delete|revoke)/.test(id) ? 1_000 - path.length : 0;
const ordered = changing.toSorted((a, b) => ends(a) - ends(b));

describe("every route", () => {
  it("[audit.complete] each operation that changes something is recorded before and after, and no other", async () => {
    const root = api.target.apiKey;
    const done: string[] = [];
    for (const operation of ordered) {
      const isOfRoot = operation.scope === "root";
      const by = isOfRoot ? root : world.full;
      const answer = await ask(url, operation, world.spare, by);
      const entries = await entriesOf(by, answer);
      const expected = NOT_AUDITED.has(operation.id) ? 0 : REPAIRS.has(operation.id) ? 1 : 2;
      expect(entries, `${operation.id}: ${answer.text}`).toHaveLength(expected);
      if (expected === 0) continue;
      const end = entries.at(-1);
      const actor = isOfRoot ? "operator" : expect.stringMatching(/^key:[a-z0-9]{12}$/);
      const outcome = answer.status < 400 ? "done" : "refused";
      expect(end).toMatchObject({ action: operation.id, actor, outcome });
      expect(end?.problem).toBe((answer.body as { code?: string } | undefined)?.code);
      if (outcome === "done") done.push(operation.id);
      if (expected === 1) continue;
      const [begin] = entries;
      expect(begin).toMatchObject({ outcome: "begun", action: operation.id, call: end?.call });
      expect(begin?.target.split("/")[1]).toBe(operation.path.split("/")[1]);
    }
    expect(done).toEqual(
      expect.arrayContaining([
        ...["createStream", "patchStream", "deleteStream", "createSubscription", "seek"],
        ...["patchSubscription", "deleteSubscription", "createKey", "rotateKey", "revokeKey"],
        ...["setKeyQuota", "setTenantQuota", "createTenant", "createExport", "completeRestore"],
        "createErasure",
      ]),
    );
  }, 60_000);

  it("[audit.complete] reading, publishing, polling and committing are not recorded", async () => {
    const before = (await readAll(world.full)).length;
    for (const operation of operations.filter(({ method }) => method === "GET")) {
      await ask(url, operation, world.mine, world.full);
    }
    for (const id of ["publishEvents", "commit", "leave"]) {
      const operation = operations.find((of) => of.id === id);
      if (operation !== undefined) await ask(url, operation, world.mine, world.full);
    }
    const { stream, subscription, polled } = world.mine;
    const path = `/streams/${stream}/subscriptions/${subscription}/poll`;
    const polling = await sendJson(as(world.full), "POST", path, { commit: polled });
    expect(polling.status).toBe(200);
    const later = (await readAll(world.full)).slice(before);
    // Only the admin key may read tenants. These calls are denied.
    expect(later.map(({ outcome, action }) => `${outcome} ${action}`).sort()).toEqual([
      "denied getTenantQuota",
      "denied listTenants",
    ]);
  });
});

describe("entries", () => {
  it("[audit.entry] tell the actor, the action, the target and the request, and no secret", async () => {
    const stream = newName();
    await sendJson(as(world.full), "POST", "/streams", { name: stream });
    const asked = { name: "clerk", scopes: ["read"], streams: [stream] };
    const made = await sendJson(as(world.full), "POST", "/keys", asked);
    const { id, apiKey } = described.NewApiKey.parse(made.body);
    const entries = await entriesOf(world.full, made);
    expect(entries).toEqual([
      expect.objectContaining({ target: "/keys", outcome: "begun", request: asked }),
      expect.objectContaining({ target: `/keys/${id}`, outcome: "done" }),
    ]);
    const text = JSON.stringify(await readAll(world.full));
    expect(text).not.toContain(apiKey);
    expect(text).not.toContain(apiKey.split("_").at(-1)?.slice(0, 20));
    const target = encodeURIComponent(`/streams/${stream}`);
    const ofStream = await as(world.full).send({
      path: `${PATH}/events?key=${target}&from=earliest`,
    });
    expect(EventPage.parse(ofStream.body).events.map(({ type }) => type)).toEqual([
      "createStream",
      "createStream",
    ]);
  });

  it("[audit.entry] a large request is named by its size", async () => {
    const streams = Array.from({ length: 32 }, (_, at) => `${"x".repeat(124)}${at}*`);
    const body = { name: "wide", scopes: ["read"], streams };
    const answer = await sendJson(as(world.full), "POST", "/keys", body);
    const [begin] = await entriesOf(world.full, answer);
    expect(begin).toMatchObject({ outcome: "begun", requestBytes: expect.any(Number) });
    expect(begin).not.toHaveProperty("request");
  });

  it("[audit.denied] a call that the key has no right to is recorded, also when the answer is 404", async () => {
    const { stream, subscription } = world.mine;
    const calls = [
      [world.only("read"), "DELETE", `/streams/${stream}`, 403],
      [world.only("publish"), "GET", `/streams/${stream}/events`, 403],
      [world.elsewhere, "GET", `/streams/${stream}/subscriptions/${subscription}`, 404],
    ] as const;
    for (const [by, method, path, status] of calls) {
      const answer = await sendJson(as(by), method, path);
      expect(answer.status).toBe(status);
      expect(await entriesOf(world.full, answer)).toMatchObject([
        { outcome: "denied", target: path, actor: expect.stringMatching(/^key:/) },
      ]);
    }
  });

  it("[audit.denied] calls without rights cannot fill the stream", async () => {
    const made = await sendJson(api, "POST", "/tenants", { name: newName() });
    const { adminKey } = NewTenant.parse(made.body);
    const key = { name: "small", scopes: ["read"], streams: ["*"] };
    const small = await sendJson(as(adminKey.apiKey), "POST", "/keys", key);
    const { apiKey } = described.NewApiKey.parse(small.body);
    for (let at = 0; at < 60; at++) {
      expect((await sendJson(as(apiKey), "DELETE", "/streams/x")).status).toBe(403);
    }
    const denied = (await readAll(adminKey.apiKey)).filter(({ outcome }) => outcome === "denied");
    expect(denied.length).toBeGreaterThanOrEqual(20);
    expect(denied.length).toBeLessThanOrEqual(22);
  });
});

describe("access", () => {
  it("[audit.read] needs the scope audit, and shows only what the tenant did", async () => {
    const reading = [PATH, `${PATH}/events`, `${PATH}/archive`];
    for (const path of reading) {
      expect((await as(world.only("audit")).send({ path })).status, path).toBe(200);
      const refused = await as(world.without(["audit"])).send({ path });
      expect(refused.body, path).toMatchObject({ status: 403, code: "forbidden" });
    }
    const theirs = JSON.stringify(await readAll(world.foreign));
    expect(theirs).not.toContain(world.mine.stream);
    const { body } = await as(world.full).send({ path: "/streams?limit=500" });
    expect(JSON.stringify(body)).not.toContain(AUDIT_STREAM);
    const usage = await as(world.full).send({ path: "/usage?by=stream" });
    const ofAudit = (usage.body as { usage: { stream: string }[] }).usage.filter(
      ({ stream }) => stream === AUDIT_STREAM,
    );
    // Reading it is counted, but not what the server writes.
    for (const entry of ofAudit) {
      expect(entry).toMatchObject({ published: { events: 0 }, stored: { hotBytes: 0 } });
    }
  });

  it("[audit.append-only] no operation changes the audit stream, publishes to it or follows it by a subscription", async () => {
    const allowed = new Set([
      ...["getStream", "browseEvents", "listArchive", "verifyArchive"],
      ...["compactStream", "archiveStream", "repairNumbering"],
    ]);
    const names = { ...world.mine, stream: AUDIT_STREAM };
    const ofStreams = operations.filter(
      ({ id, path }) => path.includes("{stream}") && !allowed.has(id),
    );
    expect(ofStreams.length).toBeGreaterThan(25);
    for (const operation of ofStreams) {
      const answer = await ask(url, operation, names, world.full);
      expect(answer.body, operation.id).toMatchObject({ status: 403, code: "forbidden" });
    }
    for (const name of [AUDIT_STREAM, "_other"]) {
      expect(await sendJson(as(world.full), "POST", "/streams", { name })).toMatchObject({
        status: 400,
      });
    }
  });

  it("[audit.archived] the stream has the days of the installation, and its archive verifies", async () => {
    const stream = (await as(world.full).send({ path: PATH })).body;
    expect(stream).toMatchObject({ archiveDays: 400, retentionHours: 8_760, compaction: "none" });
    const before = await readAll(world.full);
    const archived = await sendJson(as(world.full), "POST", `${PATH}/archive`);
    expect(archived.body).toMatchObject({ done: true, segments: 1 });
    const verified = await sendJson(as(world.only("audit")), "POST", `${PATH}/archive/verify`);
    expect(verified.body).toMatchObject({ fault: null, segments: 1 });
    expect((await readAll(world.full)).slice(0, before.length)).toEqual(before);
  });
});

describe("durability", () => {
  beforeAll(() => {
    isHurried = true;
    opened.client.middlewareStack.add(
      (next, { commandName = "" }) =>
        async (args) => {
          const isOfAudit = JSON.stringify(args.input ?? {}).includes(`${AUDIT_STREAM}#`);
          if (isOfAudit && isSilenced(commandName)) {
            throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
          }
          return next(args);
        },
      { step: "initialize", name: "silence" },
    );
  });
  const patch = (description: string) =>
    sendJson(as(world.full), "PATCH", `/streams/${world.mine.stream}`, { description });
  const look = async () => {
    const { body } = await as(world.full).send({ path: `/streams/${world.mine.stream}` });
    return (body as { readonly description: string }).description;
  };

  it("[audit.first] nothing changes while the audit stream cannot be written", async () => {
    const before = await look();
    isSilenced = () => true;
    const answer = await patch("changed");
    isSilenced = () => false;
    expect(answer.body).toMatchObject({ status: 503, code: "store-unavailable", retry: "later" });
    expect(await look()).toBe(before);
    expect((await patch("changed")).status).toBe(200);
  }, 30_000);

  it("[audit.first] a compactor that does not run stops no change", async () => {
    aheadMs += 2 * 24 * 3_600_000;
    expect((await patch("later")).status).toBe(200);
  });

  it("[audit.end] an action that is done is answered as done, also when its end cannot be recorded", async () => {
    let puts = 0;
    isSilenced = (commandName) => commandName.startsWith("Put") && ++puts > 1;
    const answer = await patch("end");
    isSilenced = () => false;
    expect(puts).toBeGreaterThan(1);
    expect(answer.body).toMatchObject({ description: "end" });
    expect(await entriesOf(world.full, answer)).toMatchObject([{ outcome: "begun" }]);
  }, 30_000);
});
