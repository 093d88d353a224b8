import { readCursor, writeCursor } from "./fake-cursor.ts";
import {
  append,
  assertKept,
  changesOf,
  type FakeStream,
  type Incoming,
  lagOf,
  statesOf,
} from "./fake-log.ts";
import { invalid, Refusal } from "./fake-problem.ts";
import {
  assertAlive,
  type FakeAnswer,
  type FakeRequest,
  type FakeState,
  type Found,
  isAlive,
  pacing,
  WAIT_SECONDS,
  wait,
} from "./fake-state.ts";
import { positionOf } from "./fake-subscription.ts";
import { act, createSubscription, info, releaseAs } from "./fake-subscription-routes.ts";

/** How long an Idempotency-Key is remembered. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Answers a request. Throws a Refusal. */
export async function answer(state: FakeState, request: FakeRequest): Promise<FakeAnswer> {
  const [root, name = "", part, id = "", action = "", given = "", how] = request.path
    .split("/")
    .slice(1)
    .map(decodeURIComponent);
  const { method } = request;
  if (root === "whoami") {
    const body = { tenant: "default", scopes: ["admin"], streams: ["*"] };
    return { status: 200, body: { ...body, waitSecondsAdvised: WAIT_SECONDS } };
  }
  if (root !== "streams") throw new Refusal("route-not-found", "There is no such route");
  if (name === "") return createStream(state, request.body);
  const found = state.streams.get(name);
  if (found === undefined) throw new Refusal("stream-not-found", `There is no stream ${name}`);
  const { stream, subs } = found;
  if (part === undefined) {
    if (method !== "DELETE") return { status: 200, body: describeWhole(found, state.now()) };
    state.streams.delete(name);
    return { status: 202, body: { name, status: "deleting" } };
  }
  if (part === "events") {
    return method === "POST" ? publish(state, stream, request) : browse(state, stream, request);
  }
  if (part === "compacted") return list(stream, request.query);
  if (part === "compact") {
    const watermarkLag = { events: 0, seconds: 0 };
    return { status: 200, body: { compactedEvents: 0, keys: 0, watermarkLag, done: true } };
  }
  if (part !== "subscriptions") throw new Refusal("route-not-found", "There is no such route");
  if (id === "") return createSubscription(state, { stream, subs }, request.body);
  const sub = subs.get(id);
  if (sub === undefined) {
    throw new Refusal("subscription-not-found", `There is no subscription ${id}`);
  }
  const at = { stream, sub, now: state.now() };
  if (action === "") {
    if (method === "DELETE") subs.delete(id);
    return method === "DELETE" ? { status: 204 } : { status: 200, body: info(at) };
  }
  // A parked key is in the path or in the query.
  if (how !== undefined) return { status: 200, body: releaseAs(at, how, given, request.query) };
  if (action === "parked" && given !== "") {
    return { status: 200, body: releaseAs(at, given, request.query.key ?? "", request.query) };
  }
  return act(state, { ...at, subs }, { action, request });
}

function createStream(state: FakeState, body: FakeRequest["body"]): FakeAnswer {
  const { name, ...given } = body;
  const defaults = { description: "", partitions: 1, compaction: "key", retentionHours: 360 };
  const settings = { ...defaults, ...given };
  const former = state.streams.get(String(name));
  if (former !== undefined) {
    if (JSON.stringify(former.stream.settings) === JSON.stringify(settings)) {
      return { status: 200, body: describe(former.stream) };
    }
    throw new Refusal("stream-exists", "It already exists with other settings");
  }
  state.lives += 1;
  const stream: FakeStream = {
    name: String(name),
    life: `${name}/${state.lives}`,
    settings,
    events: [],
    expired: 0,
    receipts: new Map(),
    createdAt: new Date(state.now()).toISOString(),
  };
  state.streams.set(stream.name, { stream, subs: new Map() });
  return { status: 201, body: describe(stream) };
}

const describe = ({ name, life, settings, createdAt }: FakeStream) => ({
  name,
  life,
  ...settings,
  createdAt,
});

const describeWhole = ({ stream, subs }: Found, now: number) => ({
  ...describe(stream),
  eventCount: stream.events.length,
  bytes: JSON.stringify(stream.events).length,
  firstEventAt: stream.events[stream.expired]?.publishedAt ?? null,
  lastEventAt: stream.events.at(-1)?.publishedAt ?? null,
  watermarkLag: { events: 0, seconds: 0 },
  subscriptionCount: subs.size,
  subscriptions: [...subs.values()].map(({ name, position }) => {
    return { name, lag: lagOf(stream, position, now) };
  }),
});

function publish(state: FakeState, stream: FakeStream, { exact, body, header }: FakeRequest) {
  const listed = (value: unknown): Incoming[] => {
    const { events } = value as { events?: Incoming[] };
    return events ?? [value as Incoming];
  };
  const spelled = listed(exact);
  const incoming = listed(body).map((event, index) => ({ ...event, data: spelled[index]?.data }));
  const key = header("idempotency-key");
  const text = JSON.stringify(exact);
  const now = state.now();
  const kept = key === undefined ? undefined : stream.receipts.get(key);
  const former = kept !== undefined && now - kept.at < REMEMBERED_MS ? kept : undefined;
  if (former !== undefined && former.body !== text) {
    throw new Refusal("idempotency-key-reused", "The Idempotency-Key was used for other events");
  }
  if (former !== undefined) return { status: 200, body: former.receipt };
  const written = append(stream, incoming, new Date(now).toISOString());
  const { life } = stream;
  const cursor = writeCursor({ kind: "log", life, position: stream.events.length });
  const receipt = { events: written.map(({ id, sequence }) => ({ id, sequence })), cursor, life };
  if (key !== undefined) stream.receipts.set(key, { body: text, receipt, at: now });
  return { status: 201, body: receipt };
}

async function browse(state: FakeState, stream: FakeStream, { query }: FakeRequest) {
  const { from = "earliest", until, order, type, key, keyPrefix = "" } = query;
  if (order === "desc") throw invalid("/query/order", "the fake reads forward only");
  const limit = Number(query.limit ?? 100);
  const place = /^\d+$/.test(from) ? { sequence: Number(from) } : from;
  const position = positionOf(stream, place);
  assertKept(stream, position);
  await wait(
    state,
    Number(query.waitSeconds ?? 0),
    () => position < stream.events.length || !isAlive(state, stream),
  );
  assertAlive(state, stream);
  const end = until === undefined ? stream.events.length : positionOf(stream, until);
  const events = [];
  let next = position;
  while (next < end && events.length < limit) {
    const event = stream.events[next];
    next += 1;
    if (event === undefined || (type !== undefined && event.type !== type)) continue;
    if ((key === undefined || event.key === key) && event.key.startsWith(keyPrefix))
      events.push(event);
  }
  const caughtUp = next >= end;
  const cursor = writeCursor({ kind: "log", life: stream.life, position: next });
  const lag = lagOf(stream, next, state.now());
  const page = {
    events,
    cursor,
    caughtUp,
    looked: next - position,
    lag,
    life: stream.life,
    tier: "hot",
  };
  return { status: 200, body: { ...page, ...pacing(caughtUp, query.waitSeconds) } };
}
/** The fake divides no list: what follows a page is one part. */
function list(
  stream: FakeStream,
  { cursor, key, keyPrefix, limit = "50", parts, since }: FakeRequest["query"],
) {
  if (stream.settings.compaction === "none") {
    throw new Refusal("not-compacted", "The stream keeps no compacted state");
  }
  if (key !== undefined) {
    const found = statesOf(stream, key).find((state) => state.key === key);
    if (found === undefined) throw new Refusal("key-not-found", "The key has no current state");
    return { status: 200, body: found };
  }
  const { life } = stream;
  if (since !== undefined && cursor !== undefined) {
    throw invalid("/query/since", "must not be sent together with `cursor`");
  }
  const content = cursor === undefined ? undefined : readCursor(stream, cursor, ["list"]);
  if (parts !== undefined && (since !== undefined || content?.since !== undefined)) {
    throw invalid("/query/parts", "cannot divide a list with `since`, which has one part");
  }
  const prefix = keyPrefix ?? "";
  if (content !== undefined && content.prefix !== prefix) {
    const more = { reason: "other-query" };
    throw new Refusal("invalid-cursor", "The cursor belongs to another list", more);
  }
  // The log is read from the start of the list, so that later changes are not missed.
  const position = content?.position ?? stream.events.length;
  const from =
    since === undefined ? content?.since : readCursor(stream, since, ["log", "poll"]).position;
  const listed = from === undefined ? statesOf(stream, prefix) : changesOf(stream, prefix, from);
  const states = listed.filter(({ key }) => key > (content?.after ?? ""));
  const items = states.slice(0, Number(limit));
  const after = items.at(-1)?.key ?? "";
  const isEnd = items.length === states.length;
  const more = { kind: "list", life, position, prefix, after, since: from } as const;
  const follow = writeCursor({ kind: "log", life, position });
  const next = isEnd ? null : writeCursor(more);
  const rest =
    parts === undefined ? { cursor: next } : { cursor: null, parts: next === null ? [] : [next] };
  return { status: 200, body: { items, ...rest, follow, life } };
}
