import { expect } from "vitest";
import { ask } from "./ask.ts";

/** What a client holds of features that the first release does not know. */
export type LaterNotes = {
  /** Where the differences begin: after the first events of `changing`. */
  readonly since: string;
  /** A list of what changed since then, after its first page. */
  readonly changedList: string;
  /** The parts into which the list of current states of `many` is divided, after its first key. */
  readonly parts: readonly string[];
  /** The key on the page that divided it. */
  readonly firstKey: string;
  readonly follow: string;
  /** A place in `short`, whose retention is an hour. Its changes are listed up to its end. */
  readonly shortSince: string;
};

const GROWN_KEYS = ["a", "b", "c", "d"];
const MANY_KEYS = Array.from({ length: 40 }, (_, n) => `k${n}`);

type Sent = { readonly status: number; readonly body: Body };
// biome-ignore lint/suspicious/noExplicitAny: the answers of another version have no type here.
type Body = any;

/** Sends requests with the admin key. `ok` fails unless the answer is a success. */
export function sender(url: string, key: string) {
  const send = async (method: string, path: string, body?: unknown): Promise<Sent> =>
    ask(url, { method, path, key, ...(body === undefined ? {} : { body }) }) as Promise<Sent>;
  const ok = async (method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await send(method, path, body);
    const what = `${method} ${path}: ${JSON.stringify(answer.body)?.slice(0, 300)}`;
    expect(answer.status, what).toBeLessThan(300);
    return answer.body;
  };
  return {
    send,
    get: (path: string) => ok("GET", path),
    post: (path: string, body: unknown = {}) => ok("POST", path, body),
    patch: (path: string, body: unknown) => ok("PATCH", path, body),
    put: (path: string, body: unknown) => ok("PUT", path, body),
  };
}

/**
 * Plays with one server what the first release does not know: a stream whose partitions are changed
 * in use, differences that are not begun and under way, a list in parts, and the rows of erasures
 * and quotas.
 */
export async function tellLater(url: string, adminKey: string): Promise<LaterNotes> {
  const { get, post, patch, put } = sender(url, adminKey);

  await post("/streams", { name: "grown" });
  await post("/streams/grown/subscriptions", { name: "reader", start: "earliest" });
  await post("/streams/grown/events", { events: eventsOf(GROWN_KEYS, "before") });
  await patch("/streams/grown", { partitions: 3 });
  await post("/streams/grown/events", { events: eventsOf(GROWN_KEYS, "after") });

  const changing = "/streams/changing";
  await post("/streams", { name: "changing" });
  await post(`${changing}/events`, { events: eventsOf(["a", "b", "d"], 1) });
  const since = (await get(`${changing}/events?from=earliest`)).cursor;
  await post(`${changing}/events`, { events: eventsOf(["a", "a", "c"], 2) });
  await post(`${changing}/events`, { key: "b", data: null });
  await post(`${changing}/compact`);
  for (const name of ["asked", "away"]) {
    await post(`${changing}/subscriptions`, { name, start: { since } });
  }
  const { cursor } = await get(`${changing}/subscriptions/away/poll?limit=1`);
  await post(`${changing}/subscriptions/away/commit`, { cursor });
  const changedList = (await get(`${changing}/compacted?since=${since}&limit=1`)).cursor;

  await post("/streams", { name: "many" });
  await post("/streams/many/events", { events: eventsOf(MANY_KEYS, 1) });
  await post("/streams/many/compact");
  const divided = await get("/streams/many/compacted?parts=4&limit=1");

  const short = "/streams/short";
  await post("/streams", { name: "short", retentionHours: 1 });
  await post(`${short}/events`, { events: eventsOf(["a", "b"], 1) });
  const shortSince = (await get(`${short}/events?from=earliest`)).cursor;
  await post(`${short}/subscriptions`, { name: "late", start: { cursor: shortSince } });
  await post(`${short}/events`, { events: eventsOf(["a"], 2) });
  await post(`${short}/compact`);
  await get(`${short}/compacted?since=${shortSince}`);

  await post("/streams", { name: "erased" });
  await post("/streams/erased/events", { events: eventsOf(["x", "y"], "personal") });
  const begun = await post("/streams/erased/erasures", { key: "x", reason: "asked for" });
  for (let looks = 0; looks < 20; looks++) {
    const { status } = await get(`/streams/erased/erasures/${begun.id}`);
    if (status === "done") break;
  }
  await post("/streams/erased/erasures", { key: "y", reason: "asked for" });
  await put("/tenants/default/quota", { streams: 100 });

  const [{ key: firstKey }] = divided.items;
  const { parts, follow } = divided;
  return { since, changedList, parts, firstKey, follow, shortSince };
}

/**
 * Continues with what a client holds, on a server that knows these features, whatever an earlier
 * version has done in between.
 */
export async function goOnLater(url: string, adminKey: string, notes: LaterNotes): Promise<void> {
  const { get, post } = sender(url, adminKey);

  const read = await get("/streams/grown/events?from=earliest");
  expect(valuesOf(read)).toEqual([
    ...GROWN_KEYS.map((key) => `${key} before`),
    ...GROWN_KEYS.map((key) => `${key} after`).toSorted(),
  ]);
  const { events } = await post("/streams/grown/events", { events: eventsOf(GROWN_KEYS, "later") });
  const numberOf = new Map<string, number>(
    read.events.map(({ key, sequence }: Body) => [key, sequence]),
  );
  for (const [index, key] of GROWN_KEYS.entries()) {
    expect(events[index].sequence).toBeGreaterThan(numberOf.get(key) ?? Number.POSITIVE_INFINITY);
  }
  const reader = "/streams/grown/subscriptions/reader";
  const page = await get(`${reader}/poll`);
  expect(page.events).toHaveLength(3 * GROWN_KEYS.length);
  await post(`${reader}/commit`, { cursor: page.cursor });
  expect(await get(`${reader}/poll`)).toMatchObject({ events: [], caughtUp: true });

  const { since, changedList } = notes;
  const listed = await get(`/streams/changing/compacted?since=${since}`);
  expect(statesOf(listed.items)).toEqual(["a 2", "b null", "c 2"]);
  const rest = await get(`/streams/changing/compacted?cursor=${changedList}`);
  expect(statesOf(rest.items)).toEqual(["b null", "c 2"]);
  const changing = "/streams/changing/subscriptions";
  expect(statesOf((await get(`${changing}/asked/poll`)).events)).toEqual(statesOf(listed.items));
  expect(statesOf((await get(`${changing}/away/poll`)).events)).toEqual(statesOf(rest.items));

  const parts = await Promise.all(
    notes.parts.map((cursor) => get(`/streams/many/compacted?limit=100&cursor=${cursor}`)),
  );
  const keys = parts.flatMap(({ items }) => items.map(({ key }: Body) => key));
  expect([notes.firstKey, ...keys].toSorted()).toEqual(MANY_KEYS.toSorted());
  expect(parts.map(({ cursor }) => cursor)).toEqual(parts.map(() => null));
}

/**
 * Checks what a server does that knows none of these features: it writes nothing after a change of
 * partitions, refuses to go on with a difference, and reads the part of a list to the list's end.
 */
export async function goBack(url: string, adminKey: string, notes: LaterNotes): Promise<void> {
  const { get, send } = sender(url, adminKey);
  const refusal = async (method: string, path: string, body?: unknown) => {
    const answer = await send(method, path, body);
    return [answer.status, answer.body.code];
  };

  const lost = { key: "a", data: "lost" };
  expect(await refusal("POST", "/streams/grown/events", lost)).toEqual([503, "stream-busy"]);
  expect(await refusal("POST", "/streams/grown/compact", {})).toEqual([500, "internal"]);
  const before = GROWN_KEYS.map((key) => `${key} before`);
  // The turn is the end of the log to code that does not know it.
  for (const path of ["events?from=earliest", "subscriptions/reader/poll"]) {
    const page = await get(`/streams/grown/${path}`);
    expect([statesOf(page.events), page.caughtUp]).toEqual([before, true]);
  }

  const changing = "/streams/changing";
  for (const path of [
    `${changing}/subscriptions/asked/poll`,
    `${changing}/subscriptions/away/poll`,
    `${changing}/compacted?cursor=${notes.changedList}`,
  ]) {
    expect(await refusal("GET", path), path).toEqual([410, "bootstrap-expired"]);
  }

  const read = await Promise.all(
    notes.parts.map((cursor) => get(`/streams/many/compacted?limit=100&cursor=${cursor}`)),
  );
  const whole = new Set([notes.firstKey, ...MANY_KEYS]);
  for (const [part, { items, cursor }] of read.entries()) {
    for (const { key } of items) if (part === 0) whole.delete(key);
    expect(cursor).toBeNull();
    const rest = read[part + 1]?.items ?? [];
    expect(items.slice(items.length - rest.length)).toEqual(rest);
  }
  expect([...whole]).toEqual([notes.firstKey]);
  const after = await get(`/streams/many/events?from=${notes.follow}`);
  expect(after).toMatchObject({ events: [], caughtUp: true });
}

/** Lets an earlier version take and compact events of `short`, so that it does not list them. */
export async function publishUnlisted(url: string, adminKey: string): Promise<void> {
  const { post } = sender(url, adminKey);
  await post("/streams/short/events", { events: eventsOf(["a", "new"], 3) });
  await post("/streams/short/compact");
}

/**
 * Checks `short` after an earlier version has moved its floor, and the table has removed the rows
 * below it.
 */
export async function goOnAfterGap(
  url: string,
  adminKey: string,
  { shortSince }: LaterNotes,
): Promise<void> {
  const { get, post, send } = sender(url, adminKey);
  const compacted = "/streams/short/compacted";
  const list = await send("GET", `${compacted}?since=${shortSince}`);
  expect(list).toMatchObject({ status: 410, body: { code: "changes-passed", seek: "bootstrap" } });
  const poll = await send("GET", "/streams/short/subscriptions/late/poll");
  expect(poll).toMatchObject({ status: 410, body: { code: "retention-passed" } });
  expect(poll.body).not.toHaveProperty("since");
  const whole = await get(compacted);
  expect(statesOf(whole.items)).toEqual(["a 3", "b 1", "new 3"]);
  await post("/streams/short/events", { events: eventsOf(["b"], 4) });
  await post("/streams/short/compact");
  const changed = await get(`${compacted}?since=${whole.follow}`);
  expect(statesOf(changed.items)).toEqual(["b 4"]);
}

const eventsOf = (keys: readonly string[], data: unknown) => keys.map((key) => ({ key, data }));

const statesOf = (events: readonly Body[]): string[] =>
  events.map(({ key, data }) => `${key} ${data}`).toSorted();

/** The events of the second epoch come in the order of its partitions. */
const valuesOf = ({ events }: Body): string[] => {
  const texts: string[] = events.map(({ key, data }: Body) => `${key} ${data}`);
  const isAfter = (text: string) => text.endsWith("after");
  return [...texts.filter((text) => !isAfter(text)), ...texts.filter(isAfter).toSorted()];
};
