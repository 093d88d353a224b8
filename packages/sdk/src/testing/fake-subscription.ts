import { type CursorContent, readCursor, writeCursor } from "./fake-cursor.ts";
import { assertKept, changesOf, type FakeStream, type Kept, lagOf, statesOf } from "./fake-log.ts";
import { invalid, Refusal } from "./fake-problem.ts";

type Filter = {
  readonly types?: readonly string[];
  readonly keyPrefix?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type FakeSubscription = {
  readonly name: string;
  readonly settings: { readonly filter?: Filter; readonly leaseSeconds?: number } & Readonly<
    Record<string, unknown>
  >;
  readonly createdAt: string;
  position: number;
  /** The states that a bootstrap delivers, and how many of them are committed. */
  snapshot: { readonly states: readonly Kept[]; read: number } | undefined;
  seeks: number;
  readonly parked: Map<string, Parked>;
  readonly members: Map<string, number>;
  owner: string | undefined;
  fence: number;
};

type Parked = {
  readonly key: string;
  sequence: number;
  readonly reason: string;
  readonly parkedAt: string;
  status: "parked" | "retrying";
};

type At = { readonly stream: FakeStream; readonly sub: FakeSubscription; readonly now: number };

/** Moves a subscription to a place, and frees all parked keys. */
export function moveTo({ stream, sub }: Omit<At, "now">, place: unknown): void {
  sub.snapshot = undefined;
  sub.parked.clear();
  if (place === "bootstrap") {
    if (stream.settings.compaction === "none") {
      throw new Refusal("not-compacted", "The stream keeps no compacted state");
    }
    const states = statesOf(stream, sub.settings.filter?.keyPrefix);
    sub.snapshot = { states, read: 0 };
    sub.position = stream.events.length;
    return;
  }
  const { since } = typeof place === "string" ? {} : asPlace(place);
  if (since !== undefined) {
    const { position } = readCursor(stream, since, ["log", "poll"]);
    const states = changesOf(stream, sub.settings.filter?.keyPrefix ?? "", position);
    sub.snapshot = { states, read: 0 };
    sub.position = stream.events.length;
  } else sub.position = positionOf(stream, place);
}

/** Returns the number of events before a place. */
export function positionOf(stream: FakeStream, place: unknown): number {
  if (place === "earliest") return stream.expired;
  if (place === "latest") return stream.events.length;
  const { timestamp, sequence, cursor } = asPlace(place);
  if (cursor !== undefined) return readCursor(stream, cursor, ["log", "poll"]).position;
  if (sequence !== undefined) {
    if (sequence > stream.events.length + 1) throw invalid("/to/sequence", "is beyond the end");
    return sequence - 1;
  }
  const since = Date.parse(timestamp ?? "");
  const found = stream.events.findIndex(({ publishedAt }) => Date.parse(publishedAt) >= since);
  return found === -1 ? stream.events.length : found;
}

type AnyPlace = { timestamp?: string; sequence?: number; cursor?: string; since?: string };

const asPlace = (place: unknown): AnyPlace => {
  if (typeof place === "object" && place !== null) return place;
  const text = String(place);
  if (/^\d+$/.test(text)) return { sequence: Number(text) };
  return /^\d{4}-/.test(text) ? { timestamp: text } : { cursor: text };
};

/** Counts a polling worker as alive. It has the whole stream while there is no other one. */
function takeShare({ sub, now }: At, consumer: string | undefined): boolean {
  const { members, settings } = sub;
  for (const [name, until] of members) if (until <= now) members.delete(name);
  if (consumer === undefined) return true;
  members.set(consumer, now + (settings.leaseSeconds ?? 30) * 1_000);
  if (sub.owner === undefined || !members.has(sub.owner)) {
    if (sub.owner !== consumer) sub.fence += 1;
    sub.owner = consumer;
  }
  return sub.owner === consumer;
}

/** Commits the events that a cursor covers. Returns whether that moved the position. */
export function commit(at: At, cursor: string, consumer: string | undefined): boolean {
  const { stream, sub } = at;
  const content = readCursor(stream, cursor, ["poll", "log"]);
  if (content.kind === "poll") {
    const isOther = content.subscription !== sub.name;
    const reason = isOther ? "other-subscription" : "seeked";
    if (isOther || content.seeks !== sub.seeks) {
      throw new Refusal("invalid-cursor", `The cursor is refused: ${reason}`, { reason });
    }
  }
  const isOwner = takeShare(at, consumer);
  const isFenced = content.fence !== sub.fence && content.fence !== undefined;
  if (!isOwner || isFenced) throw new Refusal("lease-lost", "Another worker has taken over");
  return advance(sub, content);
}

function advance(sub: FakeSubscription, content: CursorContent): boolean {
  let hasMoved = false;
  for (const [key, upTo] of content.retried ?? []) {
    const parked = sub.parked.get(key);
    if (parked?.status !== "retrying" || parked.sequence > upTo) continue;
    sub.parked.delete(key);
    hasMoved = true;
  }
  if (sub.snapshot !== undefined) {
    const read = content.snapshot ?? sub.snapshot.states.length;
    hasMoved ||= read > sub.snapshot.read || content.snapshot === undefined;
    sub.snapshot.read = Math.max(sub.snapshot.read, read);
    if (content.snapshot === undefined) sub.snapshot = undefined;
  }
  if (content.position > sub.position) hasMoved = true;
  sub.position = Math.max(sub.position, content.position);
  return hasMoved;
}

export const cursorOf = ({ stream, sub }: Omit<At, "now">, more: Partial<CursorContent> = {}) =>
  writeCursor({
    kind: "poll",
    life: stream.life,
    position: sub.position,
    subscription: sub.name,
    seeks: sub.seeks,
    ...more,
  });

/** Returns the events that a poll delivers. */
export function pollPage(
  at: At,
  how: { readonly limit: number; readonly after?: string; readonly consumer?: string },
) {
  const { stream, sub, now } = at;
  const { limit, after, consumer } = how;
  const isOwner = takeShare(at, consumer);
  const fence = consumer === undefined ? {} : { fence: sub.fence };
  const { life } = stream;
  if (!isOwner) {
    const idle = { events: [], caughtUp: false, consistent: false, snapshotEnd: false };
    const lag = { events: 0, seconds: 0 };
    return { ...idle, cursor: cursorOf(at, fence), lag, phase: "log", life };
  }
  const ahead = after === undefined ? undefined : readCursor(stream, after, ["poll", "log"]);
  const { snapshot } = sub;
  const read = ahead === undefined ? snapshot?.read : ahead.snapshot;
  if (snapshot !== undefined && read !== undefined) {
    const events = snapshot.states.slice(read, read + limit);
    const done = read + events.length;
    const snapshotEnd = done === snapshot.states.length;
    const lag = lagOf(stream, sub.position, now);
    const caughtUp = snapshotEnd && lag.events === 0;
    const cursor = cursorOf(at, { ...fence, ...(snapshotEnd ? {} : { snapshot: done }) });
    const phase = "bootstrap";
    return { events, cursor, caughtUp, consistent: snapshotEnd, snapshotEnd, lag, phase, life };
  }
  const position = ahead?.position ?? sub.position;
  const queued = ahead === undefined ? retriedEvents(stream, sub) : [];
  if (queued.length > 0) {
    const events = queued.slice(0, limit);
    const retried = events.map(({ key, sequence }) => [key, sequence] as const);
    const isWhole = events.length === queued.length;
    const cursor = cursorOf(at, { ...fence, ...(isWhole ? { retried } : {}) });
    const lag = lagOf(stream, sub.position, now);
    const more = { caughtUp: false, consistent: false, snapshotEnd: false, phase: "log" };
    return { events, cursor, lag, life, ...more };
  }
  assertKept(stream, position, after ?? cursorOf(at));
  const events: Kept[] = [];
  let next = position;
  while (next < stream.events.length && events.length < limit) {
    const event = stream.events[next];
    next += 1;
    if (event !== undefined && isFor(sub, event)) events.push(event);
  }
  const caughtUp = next === stream.events.length;
  const cursor = cursorOf(at, { ...fence, position: next });
  const lag = lagOf(stream, next, now);
  const consistent = caughtUp && sub.parked.size === 0;
  return { events, cursor, caughtUp, consistent, snapshotEnd: false, lag, phase: "log", life };
}

/** Returns the events of retried keys that the position has passed. */
const retriedEvents = (stream: FakeStream, sub: FakeSubscription): Kept[] =>
  [...sub.parked.values()]
    .filter(({ status }) => status === "retrying")
    .flatMap(({ key, sequence }) => {
      const waiting = stream.events.slice(sequence - 1, sub.position);
      return waiting.filter((event) => event.key === key);
    });

function isFor({ settings: { filter = {} }, parked }: FakeSubscription, event: Kept): boolean {
  const { keyPrefix = "", types, headers = {} } = filter;
  if (event.sequence >= (parked.get(event.key)?.sequence ?? Number.POSITIVE_INFINITY)) return false;
  if (!event.key.startsWith(keyPrefix)) return false;
  if (event.data === null) return true;
  if (types !== undefined && !types.includes(event.type ?? "")) return false;
  return Object.entries(headers).every(([name, value]) => event.headers?.[name] === value);
}

/** Parks a key from an event on. */
export function park({ stream, sub, now }: At, body: Readonly<Record<string, unknown>>): Parked {
  if (sub.snapshot !== undefined) throw new Refusal("not-parkable", "A snapshot is being read");
  const sequence = Number(body.sequence);
  const key = stream.events[sequence - 1]?.key;
  if (key === undefined) throw invalid("/sequence", "is no event");
  if (body.key !== undefined && body.key !== key) throw invalid("/key", "is another event's");
  const parkedAt = new Date(now).toISOString();
  const former = sub.parked.get(key);
  const isRetried = former?.status === "retrying";
  if (former !== undefined && !isRetried && former.sequence <= sequence) return former;
  // An event after the position was never part of the queue, so all of the queue waits again.
  const isLater = isRetried && sequence > sub.position && former.sequence < sequence;
  const parked: Parked = {
    key,
    sequence: isLater ? former.sequence : sequence,
    reason: String(body.reason ?? ""),
    parkedAt,
    status: "parked",
  };
  sub.parked.set(key, parked);
  return parked;
}

/** Frees a key. Its waiting events are delivered, without the first one if it is skipped. */
export function release({ stream, sub }: At, key: string, skipped: string | undefined) {
  const parked = sub.parked.get(key);
  if (parked === undefined) throw new Refusal("parked-key-not-found", "The key is not parked");
  if (skipped !== undefined && skipped !== "" && Number(skipped) !== parked.sequence) {
    return { key, status: parked.status === "retrying" ? "retrying" : "free" };
  }
  if (skipped !== undefined) parked.sequence += 1;
  parked.status = "retrying";
  if (retriedEvents(stream, sub).some((event) => event.key === key)) {
    return { key, status: "retrying" };
  }
  sub.parked.delete(key);
  return { key, status: "free" };
}
