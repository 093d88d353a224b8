import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import { parseProblem, Refused, refusal, send, type Target } from "./wire.ts";

type Listed = {
  readonly items: readonly LedgerEvent[];
  readonly cursor: string | null;
  readonly follow: string;
};

/**
 * Tests that a cursor of a list continues that list. In another place it either works completely or
 * is refused.
 */
export function listCursorsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  describe("[cursor.query] a cursor of a list", () => listCursors(target, api));
}

const KEYS = 60;

function listCursors(target: Target, api: Client): void {
  let stream: string;
  const other = { code: "invalid-cursor", reason: "other-query" };
  const keysOf = (prefix: string) =>
    Array.from({ length: KEYS }, (_, n) => `${prefix}-${String(n).padStart(2, "0")}`);
  const get = async (path: string) => {
    const answer = await send(target, { path });
    if (answer.status < 400) return answer;
    throw new Refused({ path }, { ...answer, body: parseProblem(answer) });
  };
  const list = async (query: Record<string, string | number>): Promise<Listed> => {
    const text = new URLSearchParams(
      Object.entries(query).map(([k, v]): [string, string] => [k, `${v}`]),
    );
    return (await get(`${at(stream)}/compacted?${text}`)).body as Listed;
  };
  const refused = async (answer: Promise<unknown>) =>
    expect(await refusal(answer, "invalid-cursor")).toMatchObject(other);

  beforeAll(async () => {
    stream = await api.newStream();
    const keys = [...keysOf("a"), ...keysOf("m"), ...keysOf("mm")];
    await api.publish(
      stream,
      keys.map((key) => ({ key, data: 1 })),
    );
    while (!(await api.compact(stream)).done);
  });

  it("a cursor continues with the prefix of its list, and with no other", async () => {
    const whole = await list({ limit: 1 });
    await refused(list({ limit: 5, prefix: "m", cursor: String(whole.cursor) }));
    const narrow = await list({ limit: 1, prefix: "m" });
    await refused(list({ limit: 5, cursor: String(narrow.cursor) }));
    await refused(list({ limit: 5, prefix: "mm", cursor: String(narrow.cursor) }));
    const rest = await list({ limit: 500, prefix: "m", cursor: String(narrow.cursor) });
    expect(narrow.items.length + rest.items.length).toBe(2 * KEYS);
  });

  it("a subscription to a part of the list continues from its cursor", async () => {
    const first = await list({ limit: 7 });
    const seen = new Set(first.items.map(({ key }) => key));
    await api.createSubscription(stream, {
      name: "narrow",
      start: "latest",
      filter: { keyPrefix: "m" },
    });
    await api.seek(stream, "narrow", { cursor: String(first.cursor) });
    for (let consistent = false; !consistent; ) {
      const { body } = await api.poll(stream, "narrow", { limit: 25 });
      for (const { key } of body.events) seen.add(key);
      await api.commit(stream, "narrow", body.cursor);
      ({ consistent } = body);
    }
    expect([...keysOf("m"), ...keysOf("mm")].filter((key) => !seen.has(key))).toEqual([]);
  });

  it("a subscription to more than the list refuses its cursor", async () => {
    const { cursor } = await list({ limit: 1, prefix: "m" });
    const { follow } = await list({ limit: 500, prefix: "m" });
    await api.createSubscription(stream, { name: "all", start: "latest" });
    await api.createSubscription(stream, {
      name: "others",
      start: "latest",
      filter: { keyPrefix: "a" },
    });
    for (const name of ["all", "others"]) {
      await refused(api.seek(stream, name, { cursor: String(cursor) }));
      await refused(api.seek(stream, name, { cursor: follow }));
      await refused(api.poll(stream, name, { after: follow }));
    }
    await refused(api.createSubscription(stream, { name: "new", start: { cursor: follow } }));
    await api.createSubscription(stream, {
      name: "part",
      start: { cursor: follow },
      filter: { keyPrefix: "mm" },
    });
    expect((await api.poll(stream, "part")).body).toMatchObject({ events: [], consistent: true });
  });

  it("a place that would leave out the rest of the list refuses its cursor", async () => {
    const { cursor } = await list({ limit: 1 });
    await api.createSubscription(stream, { name: "reader", start: "earliest" });
    await refused(api.poll(stream, "reader", { after: String(cursor) }));
    await refused(get(`${at(stream)}/events?from=${cursor}`));
    await refused(
      api.createSubscription(stream, { name: "newer", start: { cursor: String(cursor) } }),
    );
  });

  it("other lists of names refuse the cursor", async () => {
    const two = await api.newStream();
    for (const name of ["one", "two"]) {
      for (const source of [stream, two])
        await api.createSubscription(source, { name, start: "latest" });
    }
    const subscriptions = `${at(stream)}/subscriptions?limit=1`;
    const { cursor } = (await get(subscriptions)).body as { cursor: string };
    expect((await get(`${subscriptions}&cursor=${cursor}`)).status).toBe(200);
    for (const path of ["/streams", "/keys", `${at(two)}/subscriptions`]) {
      await refused(get(`${path}?limit=1&cursor=${cursor}`));
    }
    const streams = ((await get("/streams?limit=1")).body as { cursor: string }).cursor;
    await refused(get(`${subscriptions}&cursor=${streams}`));
    await refused(get(`${at(stream)}/subscriptions/one/parked?cursor=${cursor}`));
    // A cursor from before cursors named their list.
    const former = Buffer.from("one").toString("base64url");
    expect((await get(`${subscriptions}&cursor=${former}`)).status).toBe(200);
  });
}
