import { type Answered, type Asked, ask } from "./ask.ts";

/** What a client holds after the story, and the answers it received when it read everything. */
export type Notes = {
  readonly adminKey: string;
  readonly cursorKey: string;
  /** API keys by their rights. */
  readonly keys: Readonly<Record<string, string>>;
  readonly cursors: Readonly<Record<string, string>>;
  /** A publish with an Idempotency-Key, and its answer. */
  readonly keyed: readonly { readonly asked: Asked; readonly answer: Answered }[];
  readonly seen: readonly { readonly asked: Asked; readonly answer: Answered }[];
};

type Secrets = Pick<Notes, "adminKey" | "cursorKey">;

/**
 * Plays the story with one server. It creates every kind of row, in every state that a row can be
 * left in.
 */
export async function tell(url: string, { adminKey, cursorKey }: Secrets): Promise<Notes> {
  const cursors: Record<string, string> = {};
  const keys: Record<string, string> = {};
  const keyed: { asked: Asked; answer: Answered }[] = [];

  const send = async (method: string, path: string, body?: unknown, more: Partial<Asked> = {}) => {
    const asked = { method, path, key: adminKey, ...(body === undefined ? {} : { body }), ...more };
    const answer = await ask(url, asked);
    if (answer.status >= 400) {
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    // biome-ignore lint/suspicious/noExplicitAny: the answers of another version have no type here.
    return { asked, answer, body: answer.body as any };
  };
  const post = async (path: string, body: unknown = {}, more: Partial<Asked> = {}) =>
    (await send("POST", path, body, more)).body;
  const get = async (path: string) => (await send("GET", path)).body;

  await orders();
  await spread();
  await lives();
  await access();
  await subscriptions();
  await workers();
  return { adminKey, cursorKey, keys, cursors, keyed, seen: await lookAround() };

  async function orders(): Promise<void> {
    await post("/streams", { name: "orders", description: "of the shop" });
    const events = "/streams/orders/events";
    await post(events, { key: "a", data: { n: 1 }, type: "made", headers: { by: "test" } });
    await post(events, { key: "b", data: { n: 2 }, time: "2026-11-01T00:00:00Z" });
    const several = [
      { key: "a", data: { n: 3 }, type: "paid" },
      { key: "b", data: null },
      { key: "c", data: "text", id: "own-id" },
      { key: "d", data: 9007199254740991 },
    ];
    cursors.receipt = (await post(events, { events: several })).cursor;
    const cloud = { specversion: "1.0", id: "ce-1", source: "/shop", type: "made", subject: "e" };
    await post(events, { ...cloud, data: { n: 5 } }, CLOUD_EVENT);
    keyed.push(await send("POST", events, { key: "f", data: 6 }, { headers: KEYED }));
    await post("/streams/orders/compact");
    cursors.follow = (await get("/streams/orders/compacted?limit=2")).follow;
    cursors.compacted = (await get("/streams/orders/compacted?limit=2")).cursor;
    await post(events, { key: "a", data: { n: 7 }, type: "sent" });
    await post(events, { key: "d", data: null });
    await post(events, { key: "large", data: LARGE });
    cursors.browse = (await get(`${events}?from=earliest&limit=3`)).cursor;
    cursors.streams = (await get("/streams?limit=1")).cursor ?? "";
  }

  async function spread(): Promise<void> {
    await post("/streams", { name: "spread", partitions: 4, retentionHours: 100 });
    const events = Array.from({ length: 12 }, (_, n) => ({ key: `k${n}`, data: { n } }));
    const headers = { "idempotency-key": "spread-key" };
    keyed.push(await send("POST", "/streams/spread/events", { events }, { headers }));
    cursors.spread = (await get("/streams/spread/events?from=earliest&limit=5")).cursor;
    await post("/streams", { name: "plain", compaction: "none", retentionHours: 24 });
    await post("/streams/plain/events", { key: "p", data: 1 });
    await post("/streams/plain/compact");
  }

  /** Creates a stream that was deleted and not yet removed, and its next life. */
  async function lives(): Promise<void> {
    await post("/streams", { name: "again" });
    cursors.formerLife = (await post("/streams/again/events", { key: "a", data: "before" })).cursor;
    await send("DELETE", "/streams/again");
    await post("/streams", { name: "again" });
    await post("/streams/again/events", { key: "a", data: "after" });
  }

  async function access(): Promise<void> {
    const make = (body: object) => post("/keys", body);
    keys.publish = (await make({ name: "p", scopes: ["publish"], streams: ["orders"] })).apiKey;
    keys.consume = (await make({ name: "c", scopes: ["consume"], streams: ["or*"] })).apiKey;
    keys.admin = (await make({ name: "a", scopes: ["admin"], streams: ["*"] })).apiKey;
    const rotated = await make({ name: "r", scopes: ["publish", "consume"], streams: ["*"] });
    keys.former = rotated.apiKey;
    keys.rotated = (await post(`/keys/${rotated.id}/rotate`, { overlapSeconds: 604_800 })).apiKey;
    const revoked = await make({ name: "gone", scopes: ["consume"], streams: ["*"] });
    keys.revoked = revoked.apiKey;
    await send("DELETE", `/keys/${revoked.id}`);
    keys.tenant = (await post("/tenants", { name: "acme" })).adminKey.apiKey;
    const asTenant = { key: keys.tenant ?? "" };
    await post("/streams", { name: "orders" }, asTenant);
    await post("/streams/orders/events", { key: "t", data: "acme's" }, asTenant);
  }

  async function subscriptions(): Promise<void> {
    const base = "/streams/orders/subscriptions";
    const make = (body: object) => post(base, body);
    const commit = (name: string, cursor: string) => post(`${base}/${name}/commit`, { cursor });
    await make({ name: "reader", start: "earliest" });
    await commit("reader", (await get(`${base}/reader/poll?limit=2`)).cursor);
    cursors.polled = (await get(`${base}/reader/poll?limit=2`)).cursor;

    await make({ name: "boot", start: "bootstrap" });
    await commit("boot", (await get(`${base}/boot/poll?limit=2`)).cursor);
    cursors.snapshot = (await get(`${base}/boot/poll?limit=1`)).cursor;

    await make({ name: "unread", start: "bootstrap" });
    await make({ name: "latest", start: "latest" });
    await make({ name: "from", start: { cursor: cursors.receipt } });
    const filter = { types: ["paid", "sent"], keyPrefix: "a", headers: {} };
    await make({ name: "filtered", start: "earliest", filter });
    cursors.beforeSeek = (await get(`${base}/latest/poll`)).cursor;
    await post(`${base}/latest/seek`, { to: "earliest" });

    await make({ name: "parker", start: "earliest", maxDeliveries: 5 });
    await get(`${base}/parker/poll?limit=3`);
    await get(`${base}/parker/poll?limit=3`);
    await make({ name: "parked", start: "earliest" });
    const all = await get(`${base}/parked/poll?limit=100`);
    await commit("parked", all.cursor);
    for (const [key, sequence] of [
      ["a", 1],
      ["c", 5],
      ["e", 7],
    ] as const) {
      await post(`${base}/parked/park`, { sequence, key, reason: `${key} fails` });
    }
    await post(`${base}/parked/parked/c/retry`);
    await post(`${base}/parked/parked/e/skip`);
  }

  async function workers(): Promise<void> {
    const base = "/streams/spread/subscriptions";
    await post(base, { name: "workers", start: "earliest", leaseSeconds: 300 });
    const page = await get(`${base}/workers/poll?limit=2&consumer=w1`);
    await post(`${base}/workers/commit`, { cursor: page.cursor });
    cursors.worker = (await get(`${base}/workers/poll?limit=2&consumer=w1`)).cursor;
  }

  /** Reads everything without writing, so that another version can repeat it on the same rows. */
  async function lookAround(): Promise<Notes["seen"]> {
    const places = [
      ...["earliest", cursors.receipt, cursors.follow, cursors.browse].map(
        (from) => `/streams/orders/events?limit=100&from=${from}`,
      ),
      "/streams/orders/events?limit=100&from=earliest&key=a",
      "/streams/spread/events?limit=100&from=earliest",
      `/streams/spread/events?limit=100&from=${cursors.spread}`,
      "/streams/again/events?limit=100&from=earliest",
      "/streams/plain/events?limit=100&from=earliest",
      "/streams/orders/compacted?limit=100",
      `/streams/orders/compacted?limit=100&cursor=${cursors.compacted}`,
      "/streams/orders/compacted/a",
      "/streams",
      ...["orders", "spread", "again", "plain"].map((name) => `/streams/${name}`),
      "/streams/orders/subscriptions",
      "/streams/spread/subscriptions",
      ...["reader", "boot", "unread", "latest", "from", "filtered", "parked"].flatMap((name) => [
        `/streams/orders/subscriptions/${name}`,
        `/streams/orders/subscriptions/${name}/poll?limit=100`,
      ]),
      `/streams/orders/subscriptions/reader/poll?limit=100&after=${cursors.polled}`,
      `/streams/orders/subscriptions/boot/poll?limit=100&after=${cursors.snapshot}`,
      "/streams/orders/subscriptions/parked/parked",
      "/keys",
      "/tenants",
    ];
    const of = (path: string, key: string): Asked => ({ path, key });
    const asked = [
      ...places.map((path) => of(path, adminKey)),
      of("/streams", keys.consume ?? ""),
      of("/streams/orders", keys.former ?? ""),
      of("/streams/orders/events?limit=100&from=earliest", keys.tenant ?? ""),
      // These requests are refused with the same code: a cursor of an earlier life, a cursor from
      // before a seek, and a revoked key.
      of(`/streams/again/events?from=${cursors.formerLife}`, adminKey),
      of(`/streams/orders/subscriptions/latest/poll?after=${cursors.beforeSeek}`, adminKey),
      of("/streams", keys.revoked ?? ""),
      of("/streams/orders/events?from=earliest", keys.publish ?? ""),
    ];
    const seen: { asked: Asked; answer: Answered }[] = [];
    for (const one of asked) seen.push({ asked: one, answer: await ask(url, one) });
    return seen;
  }
}

const CLOUD_EVENT = { headers: { "content-type": "application/cloudevents+json" } };
const KEYED = { "idempotency-key": "orders-key" };
/** Data that does not compress and is the same each time. */
const LARGE = Array.from({ length: 400 }, (_, n) =>
  ((n * 2_654_435_761) >>> 0).toString(36),
).join();
