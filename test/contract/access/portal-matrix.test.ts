import { NewApiKey, NewPortalToken, NewTenant } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPortalTokens } from "../../../packages/core/src/access/portal-token.ts";
import { defaultTenant } from "../../../packages/core/src/index.ts";
import { at, newName } from "../client.ts";
import { openPushTarget } from "../push-target.ts";
import { type Answer, type Call, send } from "../wire.ts";
import { ask } from "./ask.ts";
import { BOUNDED_USES, type Bounded, PREFIX, SECRET } from "./bounds-uses.ts";
import { operations } from "./openapi-operations.ts";

/**
 * These tests call every operation with portal tokens of every shape. Each stream has events, keys,
 * subscriptions and pushes of others, whose names contain a secret text.
 */

const DAY_MS = 86_400_000;
const SCOPES = ["read", "endpoints"] as const;
type PortalScope = (typeof SCOPES)[number];

/** What each operation takes from a portal token. Every other operation refuses all of them. */
const TAKES: Readonly<Record<string, PortalScope | "any">> = {
  whoami: "any",
  browseEvents: "read",
  listCompacted: "read",
  getCompacted: "read",
  putPush: "endpoints",
  getPush: "endpoints",
  listPushDeliveries: "endpoints",
  disablePush: "endpoints",
  enablePush: "endpoints",
  rotatePush: "endpoints",
  testPush: "endpoints",
  replayPush: "endpoints",
  resendPush: "endpoints",
  deletePush: "endpoints",
};

/** The operations that no portal token may use. An operation in neither table fails a test. */
const REFUSED: readonly string[] = [
  ...["createStream", "listStreams", "getStream", "patchStream", "deleteStream"],
  ...["getSchemas", "putSchemas", "checkSchemas", "compactStream", "repairNumbering"],
  ...["archiveStream", "listArchive", "verifyArchive"],
  ...["createExport", "listExports", "getExport", "deleteExport", "publishEvents"],
  ...["createErasure", "listErasures", "getErasure", "verifyErasure"],
  ...["createSubscription", "listSubscriptions", "getSubscription", "patchSubscription"],
  ...["poll", "commitAndPoll", "commit", "leave", "seek", "deleteSubscription"],
  ...["park", "listParked", "retryParked", "retryParkedKey", "skipParked", "skipParkedKey"],
  ...["createPortalToken", "createKey", "getKey", "listKeys", "revokeKey", "rotateKey"],
  ...["getKeyQuota", "setKeyQuota", "getUsage", "completeRestore"],
  ...["createTenant", "listTenants", "getTenantQuota", "setTenantQuota"],
];

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api } = target;
afterAll(target.close);
const keyed = operations.filter(({ scope }) => scope !== "public");
const adminKey = api.target.apiKey;
const { baseUrl } = api.target;

const as = (apiKey: string, call: Call): Promise<Answer> => send({ baseUrl, apiKey }, call);
const post = (path: string, json: object, method = "POST"): Call => ({
  method,
  path,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(json),
});

type Grant = {
  readonly streams: readonly string[];
  readonly keyPrefix?: string;
  readonly subscriptions?: readonly string[];
  readonly scopes?: readonly PortalScope[];
  readonly ttlSeconds?: number;
};

const mint = async (grant: Grant, apiKey = adminKey): Promise<string> => {
  const answer = await as(
    apiKey,
    post("/portal-tokens", { keyPrefix: PREFIX, scopes: SCOPES, ...grant }),
  );
  expect(answer.status, answer.text).toBe(201);
  return NewPortalToken.parse(answer.body).token;
};

const INSIDE = ["eu/1", "eu/2"];

/** Creates a stream with events, subscriptions and pushes inside and outside the prefix. */
async function furnish(partitions: number): Promise<Bounded & { readonly first: string }> {
  const stream = await api.newStream({ partitions });
  const { cursor } = (
    await api.publish(stream, [
      { key: "eu/1", data: "mine" },
      { key: `us/${SECRET}`, data: SECRET, headers: { [SECRET]: SECRET } },
      { key: `e/${SECRET}`, data: SECRET },
      { key: "eu/2", data: "mine" },
    ])
  ).body;
  const first = (await api.browse(stream, { limit: 1 })).body.cursor;
  const filters = { own: PREFIX, other: `${PREFIX}x`, all: undefined, wide: "e", us: "us/" };
  const cursors: Record<string, string> = { any: cursor };
  for (const [name, keyPrefix] of Object.entries(filters)) {
    const filter = keyPrefix === undefined ? {} : { filter: { keyPrefix } };
    await api.createSubscription(stream, { name, start: "earliest", ...filter });
    const url = name === "own" ? target.url : `${target.url}/${SECRET}`;
    await api.send(post(`${at(stream, name)}/push`, { url }, "PUT"));
  }
  await api.compact(stream);
  return { stream, own: "own", foreign: ["other", "all", "wide", "us"], cursors, first };
}

/** Fails when an answer shows anything of others: in its body, its headers or a cursor. */
function assertInside({ text, header, body }: Answer): void {
  const cursor = (body as { cursor?: string | null } | undefined)?.cursor ?? "";
  const follow = (body as { follow?: string } | undefined)?.follow ?? "";
  const seen = [text, header("eventledger-cursor"), header("location")];
  const inside = [cursor, follow].map((one) => Buffer.from(one, "base64url").toString());
  for (const said of [...seen, ...inside]) expect(said).not.toContain(SECRET);
  expect(text).not.toContain('"lag"');
}

it("[portal.covers] the tests cover every operation of the API", () => {
  expect(Object.keys(TAKES).concat(REFUSED).sort()).toEqual(keyed.map(({ id }) => id).sort());
});

describe.each([1, 4])("portal tokens, on %i partitions", (partitions) => {
  let world: Awaited<ReturnType<typeof furnish>>;
  let names: Parameters<typeof ask>[2];
  const tokens: Record<string, string> = {};
  const shapes = [["read"], ["endpoints"], [...SCOPES]] as const;
  const tokenOf = (scopes: readonly string[]) => tokens[scopes.join()] ?? "";

  beforeAll(async () => {
    world = await furnish(partitions);
    const { stream, own, first } = world;
    names = {
      ...{ stream, subscription: own, id: "000000000000", cursor: first, polled: first },
      ...{ shared: own, worked: first, snapshot: first },
    };
    for (const scopes of shapes) {
      tokens[scopes.join()] = await mint({ streams: [stream], subscriptions: [own], scopes });
    }
  });

  it.each(REFUSED)("[portal.covers] no portal token may %s", async (id) => {
    const operation = keyed.find((of) => of.id === id);
    if (operation === undefined) throw new Error(`no operation ${id}`);
    for (const scopes of shapes) {
      const answer = await ask(baseUrl, operation, names, tokenOf(scopes));
      expect(answer.body, scopes.join()).toMatchObject({ status: 403, code: "forbidden" });
      assertInside(answer);
    }
  });

  it.each(Object.entries(TAKES))(
    "[portal.covers] %s takes a token with %s, and shows nothing outside the prefix",
    async (id, scope) => {
      const call = BOUNDED_USES[id]?.within(world) ?? { path: `/${id}` };
      for (const scopes of shapes) {
        const answer = await as(tokenOf(scopes), call);
        assertInside(answer);
        const isEnough = scope === "any" || scopes.some((held) => held === scope);
        if (isEnough) expect(answer.status, answer.text).toBeOneOf([200, 201, 204]);
        else expect(answer.body).toMatchObject({ status: 403, code: "forbidden" });
        if (id === "deletePush" && isEnough) {
          await api.send(post(`${at(world.stream, "own")}/push`, { url: target.url }, "PUT"));
        }
      }
    },
  );

  it.each(Object.keys(TAKES))("[portal.covers] %s refuses what is outside", async (id) => {
    const { outside, within } = BOUNDED_USES[id] ?? {};
    const token = tokenOf(SCOPES);
    for (const [code, call] of outside?.(world) ?? []) {
      const answer = await as(token, call);
      expect(answer.body, `${call.path} ${call.body}`).toMatchObject({ code });
      if (!`${call.path}${call.body}`.includes(SECRET)) assertInside(answer);
    }
    const call = within?.(world);
    if (call === undefined) return;
    const elsewhere = { ...world, stream: (await api.newStream()).toString() };
    for (const other of [
      elsewhere,
      { ...world, stream: "_audit" },
      { ...world, stream: "nowhere" },
    ]) {
      const { status, body } = await as(token, within?.(other) ?? call);
      expect({ status, body }).toMatchObject({ status: 404, body: { code: "stream-not-found" } });
    }
  });

  it("[portal.covers] a token reads everything inside its prefix, from any place and in pages of any size", async () => {
    const token = tokenOf(["read"]);
    const path = `${at(world.stream)}/events`;
    const keysOf = (answer: Answer) =>
      (answer.body as { events: { key: string }[] }).events.map(({ key }) => key);
    for (const limit of [1, 100]) {
      const keys: string[] = [];
      for (let from = "earliest", done = false; !done; ) {
        const answer = await as(token, { path: `${path}?limit=${limit}&from=${from}` });
        assertInside(answer);
        const page = answer.body as { cursor: string; caughtUp: boolean; looked: number };
        const read = keysOf(answer);
        expect(page.looked).toBe(read.length);
        keys.push(...read);
        ({ cursor: from, caughtUp: done } = page);
      }
      expect(keys.sort()).toEqual(INSIDE);
    }
    for (const query of ["order=desc", "last=100", `last=100&keyPrefix=e`]) {
      const answer = await as(token, { path: `${path}?${query}` });
      assertInside(answer);
      expect(keysOf(answer).sort()).toEqual(INSIDE);
    }
    const time = encodeURIComponent(new Date(Date.now() - DAY_MS).toISOString());
    const since = await as(token, { path: `${path}?from=${time}` });
    expect(keysOf(since).sort()).toEqual(INSIDE);
    assertInside(since);
    const position = (await api.getSubscription(world.stream, "all")).position ?? "";
    for (const from of [world.first, position, world.cursors.any ?? ""]) {
      const answer = await as(token, { path: `${path}?from=${from}` });
      assertInside(answer);
      for (const key of keysOf(answer)) expect(INSIDE).toContain(key);
    }
    const theirs = await api.listCompacted(world.stream, { limit: 1 });
    const other = await as(token, {
      path: `${at(world.stream)}/compacted?cursor=${theirs.cursor}`,
    });
    expect(other.body).toMatchObject({ code: "invalid-cursor", reason: "other-query" });
    const follow = await as(token, { path: `${path}?from=${theirs.follow}` });
    assertInside(follow);
  });

  it("[portal.covers] an event stream shows nothing outside the prefix", async () => {
    const ended = new AbortController();
    const answer = await fetch(`${baseUrl}${at(world.stream)}/events`, {
      headers: { authorization: `Bearer ${tokenOf(["read"])}`, accept: "text/event-stream" },
      signal: ended.signal,
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("event: page") || !text.endsWith("\n\n")) {
      text += (await reader?.read())?.value ?? "";
    }
    ended.abort();
    expect(text).toContain("eu/1");
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('"lag"');
  });

  it("[portal.covers] a page of CloudEvents shows nothing outside the prefix", async () => {
    const answer = await as(tokenOf(["read"]), {
      path: `${at(world.stream)}/events`,
      headers: { accept: "application/cloudevents-batch+json" },
    });
    expect(answer.text).toContain("eu/1");
    expect(answer.header("eventledger-lag")).toBe("");
    assertInside(answer);
  });

  it("[portal.subscriptions] a subscription whose filter has become wider no longer exists for the token", async () => {
    const { stream, own } = world;
    const token = tokenOf(SCOPES);
    const path = `${at(stream, own)}/push`;
    expect((await as(token, { path })).status).toBe(200);
    for (const filter of [null, { keyPrefix: "e" }, { keyPrefix: "us/" }]) {
      await api.patchSubscription(stream, own, { filter });
      for (const call of [{ path }, { path: `${path}/deliveries` }, post(`${path}/test`, {})]) {
        expect((await as(token, call)).body).toMatchObject({ code: "subscription-not-found" });
      }
    }
    await api.patchSubscription(stream, own, { filter: { keyPrefix: `${PREFIX}1` } });
    expect((await as(token, { path })).status).toBe(200);
    await api.patchSubscription(stream, own, { filter: { keyPrefix: PREFIX } });
  });

  it("[push.prefix] an endpoint that a token has set gets no event outside its prefix, whatever the filter becomes", async () => {
    const { stream } = world;
    const name = "widened";
    await api.createSubscription(stream, { name, start: "latest", filter: { keyPrefix: PREFIX } });
    const token = await mint({ streams: [stream], subscriptions: [name] });
    const path = `${at(stream, name)}/push`;
    const url = `${target.url}/${name}`;
    expect((await as(token, post(path, { url }, "PUT"))).status).toBe(201);
    target.received.length = 0;
    const run = async () => {
      for (const id of await target.opened.ledger.listPushes()) {
        await target.opened.ledger.runPush(id, { budgetMs: 5_000 });
      }
      const sent = target.received.filter(({ path: to }) => to?.endsWith(name));
      return sent.map(({ body }) => body.key);
    };
    await api.publish(stream, { key: "eu/1", data: 1 });
    expect(await run()).toEqual(["eu/1"]);
    await api.patchSubscription(stream, name, { filter: null });
    await api.publish(stream, { key: `us/${SECRET}`, data: SECRET });
    expect(await run()).toEqual(["eu/1"]);
    expect((await api.send({ path })).body).toMatchObject({
      status: "disabled",
      disabledBecause: "outside-prefix",
    });
    await api.patchSubscription(stream, name, { filter: { keyPrefix: PREFIX } });
    expect((await as(token, post(`${path}/enable`, {}))).status).toBe(200);
    await api.publish(stream, { key: "eu/1", data: 2 });
    expect(await run()).toEqual(["eu/1", "eu/1"]);
    await api.patchSubscription(stream, name, { filter: null });
    await api.send(post(path, { url }, "PUT"));
    await api.publish(stream, { key: `us/${SECRET}`, data: SECRET });
    expect(await run()).toEqual(["eu/1", "eu/1", `us/${SECRET}`]);
  });

  it("[portal.subscriptions] deliveries of other keys, from before the filter was narrow, are not shown", async () => {
    const { stream } = world;
    await api.createSubscription(stream, { name: "narrowed", start: "earliest" });
    await api.send(post(`${at(stream, "narrowed")}/push`, { url: target.url }, "PUT"));
    target.answer(() => 500);
    const id = (await target.opened.ledger.listPushes()).at(-1);
    for (const push of await target.opened.ledger.listPushes()) {
      await target.opened.ledger.runPush(push, { budgetMs: 5_000 });
    }
    target.answer(() => 204);
    expect(id).toBeDefined();
    const path = `${at(stream, "narrowed")}/push/deliveries`;
    expect((await api.send({ path })).text).toContain(SECRET);
    await api.patchSubscription(stream, "narrowed", { filter: { keyPrefix: PREFIX } });
    const token = await mint({ streams: [stream], subscriptions: ["narrowed"] });
    const shown = new Set<string>();
    let query: string | undefined = "";
    while (query !== undefined) {
      const answer = await as(token, { path: `${path}?limit=1${query}` });
      assertInside(answer);
      const page = answer.body as { deliveries: { key: string }[]; cursor: string | null };
      for (const { key } of page.deliveries) shown.add(key);
      query = page.cursor === null ? undefined : `&cursor=${page.cursor}`;
    }
    expect([...shown].filter((key) => !key.startsWith(PREFIX))).toEqual([]);
    expect(shown.size).toBeGreaterThan(0);
  });
});

describe("a portal token that is not accepted", () => {
  const every = keyed.map(({ id }) => id);
  let stream: string;
  let names: Parameters<typeof ask>[2];
  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "own", filter: { keyPrefix: PREFIX } });
    const rest = { cursor: "", polled: "", shared: "own", worked: "", snapshot: "" };
    names = { stream, subscription: "own", id: "000000000000", ...rest };
  });

  const wrongs = async (): Promise<Record<string, readonly [token: string, why: RegExp]>> => {
    const grant = { streams: [stream], subscriptions: ["own"] };
    const token = await mint(grant);
    const { apiKey, id } = NewApiKey.parse(
      (
        await as(
          adminKey,
          post("/keys", { name: "k", scopes: ["read", "operate"], streams: ["*"] }),
        )
      ).body,
    );
    const revoked = await mint(grant, apiKey);
    await as(adminKey, { method: "DELETE", path: `/keys/${id}` });
    const elsewhere = createPortalTokens([{ id: 1, secret: Buffer.from("of another stage") }]);
    const retired = createPortalTokens([{ id: 9, secret: Buffer.from("a former secret") }]);
    const made = {
      ...{ id, keyId: "root", tenant: defaultTenant, scopes: SCOPES, keyPrefix: PREFIX },
      ...{ validUntil: Date.now() + DAY_MS, subscriptions: ["own"] },
      lives: new Map([[stream, "uid"]]),
    };
    const last = token.endsWith("A") ? "Q" : "A";
    return {
      altered: [`${token.slice(0, -30)}${last}${token.slice(-29)}`, /altered/],
      empty: ["elt_", /altered/],
      long: [`elt_${"A".repeat(5_000)}`, /does not know/],
      "of another stage": [elsewhere.format(made), /did not make/],
      "of a retired key": [retired.format(made), /no longer in use/],
      "of a revoked key": [revoked, /revoked or expired/],
    };
  };

  it("[portal.ends] every operation answers 401 with the reason", async () => {
    for (const [name, [token, why]] of Object.entries(await wrongs())) {
      for (const id of every) {
        const operation = keyed.find((of) => of.id === id);
        if (operation === undefined) continue;
        const { body } = await ask(baseUrl, operation, names, token);
        expect(body, `${id} with a token that is ${name}`).toMatchObject({
          status: 401,
          code: "unauthorized",
          detail: expect.stringMatching(why),
        });
      }
    }
  });

  it("[portal.ends] a token ends at its time, and at the latest with the key that made it", async () => {
    const short = await mint({ streams: [stream], ttlSeconds: 60 });
    const expiresAt = new Date(Date.now() + aheadMs + 30_000).toISOString();
    const { apiKey } = NewApiKey.parse(
      (
        await as(
          adminKey,
          post("/keys", { name: "k", scopes: ["read", "operate"], streams: ["*"], expiresAt }),
        )
      ).body,
    );
    const answer = await as(
      apiKey,
      post("/portal-tokens", { streams: [stream], keyPrefix: PREFIX, scopes: ["read"] }),
    );
    const made = NewPortalToken.parse(answer.body);
    expect(made.expiresAt).toBe(expiresAt);
    const path = `${at(stream)}/events`;
    expect((await as(made.token, { path })).status).toBe(200);
    aheadMs += 31_000;
    expect((await as(made.token, { path })).body).toMatchObject({ status: 401 });
    expect((await as(short, { path })).status).toBe(200);
    aheadMs += 30_000;
    expect((await as(short, { path })).body).toMatchObject({
      status: 401,
      detail: expect.stringContaining("expired at"),
    });
  });

  it.each(["deleted", "created again"])(
    "[portal.life] a token of a stream that was %s is refused",
    async (how) => {
      const name = await api.newStream();
      await api.createSubscription(name, { name: "own", filter: { keyPrefix: PREFIX } });
      const grant = { streams: [name], subscriptions: ["own"] };
      const token = await mint(grant);
      const path = `${at(name)}/events`;
      expect((await as(token, { path })).status).toBe(200);
      await api.deleteStream(name);
      if (how === "created again") {
        await api.createStream({ name });
        await api.createSubscription(name, { name: "own", filter: { keyPrefix: PREFIX } });
        await api.publish(name, { key: "eu/1", data: SECRET });
      }
      for (const id of Object.keys(TAKES)) {
        const call = BOUNDED_USES[id]?.within({
          stream: name,
          own: "own",
          foreign: [],
          cursors: {},
        });
        if (call === undefined) continue;
        const answer = await as(token, call);
        expect(answer.body, id).toMatchObject({ status: 403, code: "forbidden" });
        expect(answer.text, id).toMatch(/has been deleted/);
        expect(answer.text, id).not.toContain(SECRET);
      }
      if (how === "created again") {
        const fresh = await mint(grant);
        expect((await as(fresh, { path })).status).toBe(200);
      }
    },
  );
});

describe("minting", () => {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "own", filter: { keyPrefix: PREFIX } });
    await api.createSubscription(stream, { name: "all" });
  });
  const tryMint = async (grant: object, apiKey = adminKey) =>
    (
      await as(
        apiKey,
        post("/portal-tokens", {
          streams: [stream],
          keyPrefix: PREFIX,
          scopes: ["read"],
          ...grant,
        }),
      )
    ).body;
  const makeKey = async (rights: object) =>
    NewApiKey.parse(
      (await as(adminKey, post("/keys", { name: "k", streams: ["*"], ...rights }))).body,
    ).apiKey;

  it.each([
    ["/streams", { streams: [] }],
    ["/streams", { streams: Array.from({ length: 9 }, (_, n) => `s${n}`) }],
    ["/streams", { streams: ["a", "a"] }],
    ["/streams/0", { streams: ["a*"] }],
    ["/streams/0", { streams: ["_audit"] }],
    ["/keyPrefix", { keyPrefix: undefined }],
    ["/keyPrefix", { keyPrefix: "x".repeat(513) }],
    ["/subscriptions", { subscriptions: [] }],
    ["/subscriptions/0", { subscriptions: ["*"] }],
    ["/subscriptions/0", { subscriptions: ["all"] }],
    ["/scopes", { scopes: [] }],
    ["/scopes/0", { scopes: ["admin"] }],
    ["/ttlSeconds", { ttlSeconds: 59 }],
    ["/ttlSeconds", { ttlSeconds: 86_401 }],
    ["/name", { name: "x" }],
  ])("[portal.form] a request is refused at %s for %j", async (pointer, wrong) => {
    expect(await tryMint(wrong)).toMatchObject({
      code: "invalid-request",
      errors: [expect.objectContaining({ pointer })],
    });
  });

  it("[portal.form] a token of streams or subscriptions that do not exist is refused", async () => {
    expect(await tryMint({ streams: ["nowhere"] })).toMatchObject({ code: "stream-not-found" });
    expect(await tryMint({ subscriptions: ["nothing"] })).toMatchObject({
      code: "subscription-not-found",
    });
  });

  it("[portal.rights] a key gives a token no more rights than it has", async () => {
    const reader = await makeKey({ scopes: ["read", "operate"] });
    expect(await tryMint({ subscriptions: ["own"], scopes: SCOPES }, reader)).toHaveProperty(
      "token",
    );
    const cases: [object, string][] = [
      [{ scopes: ["operate"] }, "/scopes/0"],
      [{ scopes: ["read", "operate"], streams: ["x.*"] }, "/streams/0"],
      [{ scopes: ["read", "operate"], subscriptions: ["other"] }, "/subscriptions/0"],
      [{ scopes: ["read", "operate"], keyPrefix: "eu/1" }, "/keyPrefix"],
    ];
    for (const [rights, pointer] of cases) {
      const apiKey = await makeKey(rights);
      expect(await tryMint({ subscriptions: ["own"] }, apiKey), pointer).toMatchObject({
        code: "forbidden",
        errors: [expect.objectContaining({ pointer })],
      });
    }
    for (const scope of ["read", "publish", "consume", "admin", "audit"]) {
      const apiKey = await makeKey({ scopes: [scope] });
      expect(await tryMint({}, apiKey)).toMatchObject({ code: "forbidden" });
    }
  });

  it("[portal.whoami] a token learns what it covers, and that it has no scopes of a key", async () => {
    const token = await mint({ streams: [stream], subscriptions: ["own"] });
    expect((await as(token, { path: "/whoami" })).body).toMatchObject({
      scopes: [],
      portalScopes: SCOPES,
      streams: [stream],
      subscriptions: ["own"],
      keyPrefix: PREFIX,
      expiresAt: expect.any(String),
    });
  });

  it("[portal.audit] the audit stream names the token that acts, and who made it", async () => {
    // A tenant of its own has recorded no denied call so far.
    const tenant = await as(adminKey, post("/tenants", { name: newName() }));
    const { apiKey, id: keyId } = NewTenant.parse(tenant.body).adminKey;
    await as(apiKey, post("/streams", { name: "s" }));
    const own = { name: "own", filter: { keyPrefix: PREFIX } };
    await as(apiKey, post("/streams/s/subscriptions", own));
    const grant = { streams: ["s"], keyPrefix: PREFIX, subscriptions: ["own"], scopes: SCOPES };
    const answer = await as(apiKey, post("/portal-tokens", grant));
    const { id, token } = NewPortalToken.parse(answer.body);
    await as(token, post("/streams/s/subscriptions/own/push", { url: target.url }, "PUT"));
    await as(token, { path: "/keys" });
    const page = await as(apiKey, { path: "/streams/_audit/events?last=10" });
    const { events } = page.body as { events: { data: Record<string, unknown> }[] };
    const entries = events.map(({ data }) => data);
    for (const entry of [
      { actor: `key:${keyId}`, action: "createPortalToken", target: `/portal-tokens/${id}` },
      { actor: `token:${id}`, action: "putPush", outcome: "done" },
      { actor: `token:${id}`, target: "/keys", outcome: "denied" },
    ]) {
      expect(entries).toContainEqual(expect.objectContaining(entry));
    }
    expect(page.text).not.toContain(token);
  });

  it("[portal.counted] requests with a token count for the key that made it, and in its quota", async () => {
    const made = NewApiKey.parse(
      (
        await as(
          adminKey,
          post("/keys", { name: "k", scopes: ["read", "operate"], streams: ["*"] }),
        )
      ).body,
    );
    const token = await mint({ streams: [stream] }, made.apiKey);
    await as(adminKey, post(`/keys/${made.id}/quota`, { requestsPerSecond: 1 }, "PUT"));
    const statuses = new Set<number>();
    for (let n = 0; n < 8; n++) statuses.add((await as(token, { path: "/whoami" })).status);
    expect(statuses).toContain(429);
  });
});
