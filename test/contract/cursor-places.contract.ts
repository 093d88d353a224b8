import type { CursorReason, Problem } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentedCodes } from "./access/openapi-operations.ts";
import { at, type Client, createClient } from "./client.ts";
import type { Call, Target } from "./wire.ts";

/**
 * Tests every kind of cursor in every place: it works there, or the problem's reason says where it
 * belongs.
 */
export function cursorPlacesContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  describe("[cursor.reason] a cursor", () => everywhere(api));
  describe("[cursor.query] a made-up cursor of a list of names", () => madeUp(api));
}

type Verdict = CursorReason | "works";

/** The kinds of cursors of the stream itself. Each place treats them alike. */
const READERS = ["receipt", "browse", "back", "position", "follow"] as const;
const NAMES = ["streams", "keys", "tenants", "subscriptions", "parked"] as const;
const KINDS = [
  ...[...READERS, ...NAMES, "list", "poll", "otherPoll", "committed"],
  ...["otherSubscriptions", "otherParked", "otherReceipt", "foreignPoll", "formerList"],
  ...["formerPoll", "changed", "letters"],
] as const;
type Kind = (typeof KINDS)[number];

/** The expected verdict for each place that takes a cursor of events. */
const OF_EVENTS: Partial<Record<Kind, Verdict>> = {
  ...Object.fromEntries(NAMES.map((kind) => [kind, "other-query"])),
  otherSubscriptions: "other-query",
  otherParked: "other-query",
  otherReceipt: "other-stream",
  foreignPoll: "other-stream",
  formerList: "other-life",
  formerPoll: "other-life",
  changed: "malformed",
  letters: "malformed",
};
const all = (verdict: Verdict, kinds: readonly Kind[]) =>
  Object.fromEntries(kinds.map((kind) => [kind, verdict])) as Partial<Record<Kind, Verdict>>;
const POLLS = ["poll", "otherPoll", "committed"] as const;

/**
 * The expected verdict for a list of names. It accepts only its own cursor. A forged cursor gets
 * another reason than a cursor of another place.
 */
const ofNames = (own: Kind): Partial<Record<Kind, Verdict>> => ({
  ...all("other-query", KINDS),
  ...all("malformed", ["changed", "letters"]),
  [own]: "works",
});

const SUBSCRIPTION = "/subscriptions/one";
type Place = readonly [
  name: string,
  call: (cursor: string) => Call & { json?: object },
  verdicts: Partial<Record<Kind, Verdict>>,
];

const COMMITS = {
  ...OF_EVENTS,
  ...all("other-subscription", [...READERS, "otherPoll"]),
  ...all("works", ["poll", "committed"]),
  list: "other-query",
} as const;
const READS = {
  ...OF_EVENTS,
  ...all("works", READERS),
  ...all("other-subscription", POLLS),
  list: "other-query",
} as const;
const AHEAD = { ...COMMITS, ...all("works", READERS) } as const;

/**
 * The paths begin within the stream, or at the root of the API. A seek moves the subscription, so
 * it comes last.
 */
const PLACES: readonly Place[] = [
  ["from of browsing", (x) => ({ path: `/events?from=${x}` }), READS],
  ["until of browsing", (x) => ({ path: `/events?until=${x}` }), READS],
  ["from of reading back", (x) => ({ path: `/events?order=desc&from=${x}` }), READS],
  [
    "a list of current states",
    (x) => ({ path: `/compacted?cursor=${x}` }),
    { ...READS, ...all("other-query", READERS), list: "works" },
  ],
  ["since of a list of current states", (x) => ({ path: `/compacted?since=${x}` }), READS],
  ["after of a poll", (x) => ({ path: `${SUBSCRIPTION}/poll?after=${x}` }), AHEAD],
  ["after in a body", (x) => ({ path: `${SUBSCRIPTION}/poll`, json: { after: x } }), AHEAD],
  ["a commit", (x) => ({ path: `${SUBSCRIPTION}/commit`, json: { cursor: x } }), COMMITS],
  ["a commit and poll", (x) => ({ path: `${SUBSCRIPTION}/poll`, json: { commit: x } }), COMMITS],
  [
    "the start of a subscription",
    (x) => ({ path: "/subscriptions", json: { name: `n${made++}`, start: { cursor: x } } }),
    READS,
  ],
  [
    "the difference that a subscription starts with",
    (x) => ({ path: "/subscriptions", json: { name: `n${made++}`, start: { since: x } } }),
    READS,
  ],
  ["the list of streams", (x) => ({ path: `//streams?cursor=${x}` }), ofNames("streams")],
  ["the list of keys", (x) => ({ path: `//keys?cursor=${x}` }), ofNames("keys")],
  ["the list of tenants", (x) => ({ path: `//tenants?cursor=${x}` }), ofNames("tenants")],
  [
    "the list of subscriptions",
    (x) => ({ path: `/subscriptions?cursor=${x}` }),
    ofNames("subscriptions"),
  ],
  [
    "the list of parked keys",
    (x) => ({ path: `${SUBSCRIPTION}/parked?cursor=${x}` }),
    ofNames("parked"),
  ],
  [
    "the difference that a seek begins",
    (x) => ({ path: `${SUBSCRIPTION}/seek`, json: { to: { since: x } } }),
    AHEAD,
  ],
  [
    "the target of a seek",
    (x) => ({ path: `${SUBSCRIPTION}/seek`, json: { to: { cursor: x } } }),
    { ...AHEAD, list: "works" },
  ],
];
let made = 0;

const ROWS = PLACES.flatMap(([name, call, verdicts]) =>
  KINDS.map((kind) => [kind, name, verdicts[kind], call] as const),
);

const namesCursor = (list: string, name: string): string =>
  Buffer.from(`${list}:${name}`).toString("base64url");

function everywhere(api: Client): void {
  let stream: string;
  let cursors: Record<Kind, string>;

  const get = async (path: string): Promise<Record<string, string>> => {
    const answer = await api.send({ path });
    expect(answer.status, `${path} ${answer.text}`).toBe(200);
    return answer.body as Record<string, string>;
  };

  /** Returns every kind of cursor that a stream with two subscriptions and parked keys returns. */
  async function cursorsOf(name: string) {
    const { body: receipt } = await api.publish(
      name,
      ["a", "b", "c"].map((key) => ({ key, data: 1 })),
    );
    for (const each of ["one", "two"]) await api.createSubscription(name, { name: each });
    while (!(await api.compact(name)).done);
    for (const each of ["one", "two"]) {
      for (const sequence of [1, 2]) await api.park(name, each, { sequence });
    }
    const path = at(name);
    const { cursor: poll } = await get(`${path}/subscriptions/one/poll`);
    return {
      receipt: receipt.cursor,
      browse: (await get(`${path}/events?limit=1`)).cursor,
      back: (await get(`${path}/events?order=desc&limit=1`)).cursor,
      position: (await get(`${path}/subscriptions/one`)).position,
      list: (await get(`${path}/compacted?limit=1`)).cursor,
      follow: (await get(`${path}/compacted`)).follow,
      poll,
      otherPoll: (await get(`${path}/subscriptions/two/poll`)).cursor,
      committed: (await api.commit(name, "one", String(poll))).body.committed,
      subscriptions: (await get(`${path}/subscriptions?limit=1`)).cursor,
      parked: (await get(`${path}/subscriptions/one/parked?limit=1`)).cursor,
      otherParked: (await get(`${path}/subscriptions/two/parked?limit=1`)).cursor,
    } as Record<string, string>;
  }

  beforeAll(async () => {
    const other = await cursorsOf(await api.newStream());
    stream = await api.newStream();
    const former = await cursorsOf(stream);
    await api.deleteStream(stream);
    await api.createStream({ name: stream });
    const own = await cursorsOf(stream);
    const { receipt = "" } = own;
    cursors = {
      ...own,
      streams: (await get("/streams?limit=1")).cursor ?? "",
      keys: namesCursor("keys", "0".repeat(12)),
      tenants: namesCursor("tenants", "a"),
      otherSubscriptions: other.subscriptions,
      otherReceipt: other.receipt,
      foreignPoll: other.poll,
      formerList: former.list,
      formerPoll: former.poll,
      changed: `${receipt.slice(0, -1)}${receipt.endsWith("A") ? "Q" : "A"}`,
      letters: "abcdefghijklmnopqrstuvwxyz01",
    } as Record<Kind, string>;
  });

  it.each(ROWS)("%s as %s: %s", async (kind, _, verdict, call) => {
    const { path: end, json } = call(cursors[kind]);
    const path = end.startsWith("//") ? end.slice(1) : at(stream) + end;
    const answer = await api.send({
      path,
      ...(json === undefined
        ? {}
        : {
            method: "POST",
            body: JSON.stringify(json),
            headers: { "content-type": "application/json" },
          }),
    });
    const { code, reason } = answer.body as Problem;
    if (verdict === "works") {
      expect(answer.status, answer.text).toBeLessThan(300);
      return;
    }
    expect([code, reason], answer.text).toEqual(["invalid-cursor", verdict]);
    const method = json === undefined ? "GET" : "POST";
    expect(documentedCodes(method, path, answer.status)).toContain(code);
  });
}

function madeUp(api: Client): void {
  /** Creates a key that covers one stream and one subscription of it, and returns what it lists. */
  async function bound() {
    const stream = await api.newStream();
    const other = await api.newStream();
    for (const each of [stream, other]) {
      await api.publish(each, [
        { key: "a", data: 1 },
        { key: "b", data: 1 },
      ]);
      for (const name of ["hidden", "own", "zz"]) {
        await api.createSubscription(each, { name });
        for (const sequence of [1, 2]) await api.park(each, name, { sequence });
      }
    }
    const asked = {
      name: "bound",
      scopes: ["read", "operate", "admin"],
      streams: [stream],
      subscriptions: ["own"],
    };
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(asked);
    const answer = await api.send({ method: "POST", path: "/keys", headers, body });
    const { apiKey, id } = answer.body as { apiKey: string; id: string };
    const list = async (path: string, cursor: string) => {
      const asking = { authorization: `Bearer ${apiKey}` };
      return (await api.send({ path: `${path}?cursor=${cursor}`, headers: asking })).body;
    };
    return { stream, other, id, list };
  }

  /** Returns the list that a cursor names, which contains the id of its parent. */
  async function listNamed(path: string): Promise<string> {
    const { cursor } = (await api.send({ path: `${path}?limit=1` })).body as { cursor: string };
    return Buffer.from(cursor, "base64url").toString().split(":")[0] ?? "";
  }

  it("a cursor shows nothing that the list itself would not show, and never other rows", async () => {
    const { stream, other, id, list } = await bound();
    const [subscriptions, parked] = [`${at(stream)}/subscriptions`, `${at(stream, "own")}/parked`];
    const ofSubscriptions = await listNamed(subscriptions);
    const ofParked = await listNamed(parked);
    const { streams: all } = (await list("/streams", namesCursor("streams", "0"))) as Listing;
    expect(all?.map(({ name }) => name)).toEqual([stream]);
    const names = ["0", "a", "aaaaaaaaaaaa", stream, other, `${other}.x`, "own", "hidden", "zz"];
    const forged = ["default", "other/x", `${stream}#`, "../x", "%2e", "0.0", "63.99999999999999"];
    for (const name of [...names, ...forged]) {
      const ofNames = Buffer.from(name).toString("base64url");
      for (const cursor of [namesCursor("streams", name), ofNames]) {
        const { streams = [] } = (await list("/streams", cursor)) as Listing;
        expect(streams.filter((each) => each.name !== stream)).toEqual([]);
      }
      for (const cursor of [namesCursor("keys", name), ofNames]) {
        const { keys = [] } = (await list("/keys", cursor)) as Listing;
        expect(keys.filter((each) => each.id !== id)).toEqual([]);
      }
      for (const cursor of [namesCursor(ofSubscriptions, name), ofNames]) {
        const { subscriptions: found = [] } = (await list(subscriptions, cursor)) as Listing;
        expect(found.filter((each) => each.name !== "own")).toEqual([]);
        expect(await list(`${at(other)}/subscriptions`, cursor)).toMatchObject(NO_STREAM);
      }
      for (const cursor of [namesCursor(ofParked, name), ofNames]) {
        const { parked: keys = [] } = (await list(parked, cursor)) as Listing;
        expect(keys.filter(({ key }) => key !== "a" && key !== "b")).toEqual([]);
        expect(await list(`${at(stream, "zz")}/parked`, cursor)).toMatchObject(NO_SUBSCRIPTION);
      }
      const tenants = await list("/tenants", namesCursor("tenants", name));
      expect(tenants).toMatchObject({ code: "forbidden" });
    }
    await api.send({ method: "DELETE", path: `/keys/${id}` });
  });
}

const NO_STREAM = { code: "stream-not-found" };
const NO_SUBSCRIPTION = { code: "subscription-not-found" };

type Listed = { readonly name?: string; readonly id?: string; readonly key?: string };
type Listing = Readonly<Record<string, readonly Listed[] | undefined>>;
