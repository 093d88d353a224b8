import { readCursor, writeCursor } from "./fake-cursor.ts";
import { append, assertKept, type FakeStream, type Incoming, lagOf, statesOf } from "./fake-log.ts";
import { invalid, Refusal } from "./fake-problem.ts";
import {
  commit,
  cursorOf,
  type FakeSubscription,
  moveTo,
  park,
  pollPage,
  positionOf,
  release,
} from "./fake-subscription.ts";

/** The state of the fake. */
export type FakeState = {
  readonly streams: Map<string, { stream: FakeStream; subs: Map<string, FakeSubscription> }>;
  lives: number;
  /** The wall clock. */
  now(): number;
  /** Resolves with the next publish, or when the time is up. */
  changed(ms: number): Promise<void>;
};

type Request = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** The body, with each number spelled as it was sent. */
  readonly exact: unknown;
  readonly body: Readonly<Record<string, unknown>>;
  readonly header: (name: string) => string | undefined;
};

export type FakeAnswer = { readonly status: number; readonly body?: unknown };

const WAIT_SECONDS = 20;

/** How long an Idempotency-Key is remembered. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Answers a request. Throws a Refusal. */
export async function answer(state: FakeState, request: Request): Promise<FakeAnswer> {
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

function createStream(state: FakeState, body: Request["body"]): FakeAnswer {
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

function publish(state: FakeState, stream: FakeStream, { exact, body, header }: Request) {
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

async function browse(state: FakeState, stream: FakeStream, { query }: Request) {
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

/**
 * After a poll that waited, the next one is due at once. Tests should not have to wait for the
 * pace.
 */
const pacing = (caughtUp: boolean, waitSeconds: unknown) => ({
  waitSecondsAdvised: WAIT_SECONDS,
  nextPollMs: caughtUp && !waitSeconds ? 10 : 0,
});

function list(stream: FakeStream, { cursor, key, keyPrefix, limit = "50" }: Request["query"]) {
  if (stream.settings.compaction === "none") {
    throw new Refusal("not-compacted", "The stream keeps no compacted state");
  }
  if (key !== undefined) {
    const found = statesOf(stream, key).find((state) => state.key === key);
    if (found === undefined) throw new Refusal("key-not-found", "The key has no current state");
    return { status: 200, body: found };
  }
  const { life } = stream;
  const content = cursor === undefined ? undefined : readCursor(stream, cursor, ["list"]);
  const prefix = keyPrefix ?? "";
  if (content !== undefined && content.prefix !== prefix) {
    const more = { reason: "other-query" };
    throw new Refusal("invalid-cursor", "The cursor belongs to another list", more);
  }
  // The log is read from the start of the list, so that later changes are not missed.
  const position = content?.position ?? stream.events.length;
  const states = statesOf(stream, prefix).filter(({ key }) => key > (content?.after ?? ""));
  const items = states.slice(0, Number(limit));
  const after = items.at(-1)?.key ?? "";
  const isEnd = items.length === states.length;
  const more = { kind: "list", life, position, prefix, after } as const;
  const follow = writeCursor({ kind: "log", life, position });
  return { status: 200, body: { items, cursor: isEnd ? null : writeCursor(more), follow, life } };
}

type Found = { stream: FakeStream; subs: Map<string, FakeSubscription> };

function createSubscription(state: FakeState, { stream, subs }: Found, body: Request["body"]) {
  const { name, ...given } = body;
  const settings = { start: "earliest", leaseSeconds: 30, ...given };
  const former = subs.get(String(name));
  if (former !== undefined) {
    if (JSON.stringify(former.settings) !== JSON.stringify(settings)) {
      throw new Refusal("subscription-exists", "It already exists with other settings");
    }
    return { status: 200, body: describeSub(stream, former) };
  }
  const sub: FakeSubscription = {
    name: String(name),
    settings,
    position: 0,
    snapshot: undefined,
    seeks: 0,
    parked: new Map(),
    members: new Map(),
    owner: undefined,
    fence: 0,
    createdAt: new Date(state.now()).toISOString(),
  };
  moveTo({ stream, sub }, settings.start);
  subs.set(sub.name, sub);
  return { status: 201, body: describeSub(stream, sub) };
}

type At = { stream: FakeStream; sub: FakeSubscription; now: number };

const describeSub = (stream: FakeStream, { name, settings, createdAt }: FakeSubscription) => ({
  name,
  stream: stream.name,
  ...settings,
  createdAt,
  life: stream.life,
});

const info = ({ stream, sub, now }: At) => ({
  ...describeSub(stream, sub),
  phase: sub.snapshot === undefined ? "log" : "bootstrap",
  position: sub.snapshot === undefined ? cursorOf({ stream, sub }, { kind: "log" }) : null,
  lag: lagOf(stream, sub.position, now),
  keysBehind: null,
  parkedKeys: sub.parked.size,
  warnings: [],
  members: [...sub.members].map(([consumer, until]) => ({
    consumer,
    share: consumer === sub.owner ? 1 : 0,
    until: new Date(until).toISOString(),
  })),
});

async function act(
  state: FakeState,
  { subs, ...at }: At & { readonly subs: Found["subs"] },
  { action, request }: { readonly action: string; readonly request: Request },
): Promise<FakeAnswer> {
  const { stream, sub, now } = at;
  const { body, query, method } = request;
  const life = stream.life;
  if (action === "poll") return poll(state, { ...at, subs }, method === "GET" ? query : body);
  if (action === "commit") {
    const stale = !commit(at, String(body.cursor), undefined);
    const redelivers = { redelivers: "nothing", redeliversBecause: [] };
    const lag = lagOf(stream, sub.position, now);
    return { status: 200, body: { committed: cursorOf(at), stale, ...redelivers, lag, life } };
  }
  if (action === "seek") {
    moveTo(at, body.to);
    sub.seeks += 1;
    const { phase, lag } = info(at);
    return { status: 200, body: { committed: cursorOf(at), phase, lag, life } };
  }
  if (action === "leave") {
    sub.members.delete(String(body.consumer));
    if (sub.owner === body.consumer) sub.owner = undefined;
    return { status: 204 };
  }
  if (action === "park") return { status: 200, body: park(at, body) };
  if (action === "parked")
    return { status: 200, body: { parked: [...sub.parked.values()], cursor: null } };
  throw new Refusal("route-not-found", "There is no such route");
}

const releaseAs = (at: At, how: string, key: string, { sequence = "" }: Request["query"]) =>
  release(at, key, how === "skip" ? sequence : undefined);

async function poll(
  state: FakeState,
  { subs, ...at }: At & { readonly subs: Found["subs"] },
  given: Readonly<Record<string, unknown>>,
): Promise<FakeAnswer> {
  const { stream, sub } = at;
  const { limit = 100, waitSeconds = 0, after, commit: cursor, consumer } = given as PollGiven;
  const stale = cursor === undefined ? undefined : !commit(at, cursor, consumer);
  const look = () =>
    pollPage(
      { stream, sub, now: state.now() },
      {
        limit: Number(limit),
        ...(after === undefined ? {} : { after }),
        ...(consumer === undefined ? {} : { consumer }),
      },
    );
  const { seeks } = sub;
  let page = look();
  await wait(state, Number(waitSeconds), () => {
    if (!isAlive(state, stream) || subs.get(sub.name) !== sub || sub.seeks !== seeks) return true;
    page = look();
    return page.events.length > 0;
  });
  assertAlive(state, stream);
  if (sub.seeks !== seeks) page = look();
  const committed = cursor === undefined ? {} : { committed: cursorOf(at), stale };
  return { status: 200, body: { ...page, ...committed, ...pacing(page.caughtUp, waitSeconds) } };
}

type PollGiven = {
  readonly limit?: number | string;
  readonly waitSeconds?: number | string;
  readonly after?: string;
  readonly commit?: string;
  readonly consumer?: string;
};

/** Waits until there is an event, or until the seconds have passed. */
async function wait(state: FakeState, seconds: number, isThere: () => boolean): Promise<void> {
  const until = state.now() + seconds * 1_000;
  while (!isThere() && state.now() < until) await state.changed(until - state.now());
}

/** A stream that was deleted in the meantime is gone, even if its name is in use again. */
function assertAlive(state: FakeState, stream: FakeStream): void {
  if (isAlive(state, stream)) return;
  throw new Refusal("stream-not-found", `There is no stream ${stream.name}`);
}

const isAlive = ({ streams }: FakeState, stream: FakeStream): boolean =>
  streams.get(stream.name)?.stream === stream;
