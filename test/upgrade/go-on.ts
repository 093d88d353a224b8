import { expect } from "vitest";
import { type Asked, ask, lasting } from "./ask.ts";
import type { Notes } from "./story.ts";

/**
 * What the key for consuming may do. One scope used to cover `all` of it; since then it covers
 * `polls` and new subscriptions. An older version does not know the newer limits of a key, and lets
 * it do `nothing`.
 */
type Consumes = keyof typeof STATUSES;

/** The answers to browsing, polling, seeking and creating a subscription. */
const STATUSES = {
  all: [200, 200, 200, 201],
  polls: [403, 200, 403, 201],
  nothing: [403, 403, 403, 403],
} as const;

type Page = { readonly events: { key: string; sequence: number }[]; readonly cursor: string };

/**
 * Continues where the story ended, on a server of another version, with everything that a client
 * had: every cursor, API key and Idempotency-Key.
 */
export async function goOn(
  url: string,
  notes: Notes,
  {
    rolledBack = false,
    consumes = "all",
  }: { readonly rolledBack?: boolean; readonly consumes?: Consumes } = {},
): Promise<void> {
  const { adminKey, cursors, keys } = notes;
  const send = async (status: number, method: string, path: string, more: Partial<Asked> = {}) => {
    const answer = await ask(url, { method, path, key: adminKey, ...more });
    const what = `${method} ${path}: ${JSON.stringify(answer.body)?.slice(0, 300)}`;
    expect(answer.status, what).toBe(status);
    return answer.body;
  };
  const post = (status: number, path: string, body: unknown, more: Partial<Asked> = {}) =>
    send(status, "POST", path, { body, ...more });
  const poll = async (path: string) => (await send(200, "GET", path)) as Page;
  const sequences = ({ events }: Page) => events.map(({ sequence }) => sequence);
  const of = "/streams/orders/subscriptions";

  // A retried publish returns its old receipt. Other events with its key are refused.
  for (const { asked, answer } of notes.keyed) {
    const again = await ask(url, asked);
    // Code from before claims finds no receipt in the chain (decision 0024). It then writes
    // nothing.
    if (rolledBack && again.status === 500) continue;
    expect(again.status).toBe(200);
    const [fewer, more] = rolledBack ? [again, answer] : [answer, again];
    expect(lasting(more.body)).toMatchObject(lasting(fewer.body) as object);
    await post(422, asked.path, { key: "other", data: 1 }, { headers: asked.headers ?? {} });
  }

  // Publishing continues with the next number, with every key that had the right.
  const before = (await poll("/streams/orders/events?from=earliest&limit=100")).events.length;
  for (const [n, name] of ["publish", "former", "rotated"].entries()) {
    const event = { key: "new", data: { n } };
    const made = await post(201, "/streams/orders/events", event, { key: keys[name] ?? "" });
    expect(made, name).toMatchObject({ events: [{ sequence: before + n + 1 }] });
  }
  const all = before + 3;

  // A key may do exactly what it could before.
  const consume = { key: keys.consume ?? "" };
  const [reads, polls, seeks, makes] = STATUSES[consumes];
  await send(reads, "GET", "/streams/orders/events?from=earliest", consume);
  await send(polls, "GET", `${of}/latest/poll`, consume);
  await post(seeks, `${of}/latest/seek`, { to: "latest" }, consume);
  await post(makes, of, { name: "made-later", start: "latest" }, consume);
  await post(403, "/streams/orders/events", { key: "new", data: 1 }, consume);
  await send(403, "GET", "/keys", consume);
  await send(200, "GET", "/keys", { key: keys.admin ?? "" });
  const description = "still of the shop";
  await send(200, "PATCH", "/streams/orders", { key: keys.admin ?? "", body: { description } });

  // A position that was polled before can be committed now, and only once.
  expect(await post(200, `${of}/reader/commit`, { cursor: cursors.polled })).toMatchObject({
    stale: false,
  });
  const read = await poll(`${of}/reader/poll?limit=100`);
  expect(sequences(read)).toEqual(range(5, all));
  await post(200, `${of}/reader/commit`, { cursor: read.cursor });

  // A snapshot in progress ends where it would have ended, and the log continues from there.
  let page: Page & { phase?: string } = await poll(`${of}/boot/poll?limit=100`);
  const snapshot: string[] = [];
  for (let pages = 0; page.phase === "bootstrap" && pages < 20; pages++) {
    snapshot.push(...page.events.map(({ key }) => key));
    await post(200, `${of}/boot/commit`, { cursor: page.cursor });
    page = await poll(`${of}/boot/poll?limit=100`);
  }
  expect(new Set(snapshot).size).toBe(snapshot.length);
  expect(sequences(page)).toEqual(range(all - page.events.length + 1, all));

  // Parked keys stay parked, and retried and skipped ones keep their state. New events of these
  // keys wait as well.
  const parked = (await send(200, "GET", `${of}/parked/parked`)) as { parked: { key: string }[] };
  expect(parked.parked.map(({ key }) => key)).toContain("a");
  const retried = await poll(`${of}/parked/poll?limit=100`);
  expect(retried.events.map(({ key }) => key)).not.toContain("a");
  await post(200, `${of}/parked/commit`, { cursor: retried.cursor });
  await post(200, `${of}/parked/parked/a/retry`, {});
  const released = await poll(`${of}/parked/poll?limit=100`);
  expect(released.events.filter(({ key }) => key === "a").length).toBeGreaterThan(0);
  await post(200, `${of}/parked/commit`, { cursor: released.cursor });

  // The old worker holds its lease and commits with its old token.
  const shared = "/streams/spread/subscriptions/workers";
  await post(200, `${shared}/commit`, { cursor: cursors.worker });
  const rest = await poll(`${shared}/poll?limit=100&consumer=w1`);
  expect(rest.events.length).toBeGreaterThan(0);
  await post(200, `${shared}/commit`, { cursor: rest.cursor });
  await post(204, `${shared}/leave`, { consumer: "w1" });

  // The current state of all keys is up to date.
  await post(200, "/streams/orders/compact", {});
  expect(await send(200, "GET", "/streams/orders/compacted/new")).toMatchObject({ sequence: all });
  await send(404, "GET", "/streams/orders/compacted/d");

  // The deleted life stays closed, the next one is open, and a tenant has its own stream of that
  // name.
  await post(201, "/streams/again/events", { key: "a", data: "later" });
  await post(201, "/streams/orders/events", { key: "t", data: 2 }, { key: keys.tenant ?? "" });
  await send(204, "DELETE", `${of}/filtered`);
  await send(202, "DELETE", "/streams/plain");
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);
