import { type CreateSubscription, type LedgerEvent, LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as z from "zod/mini";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests subscriptions that receive a part of a stream, and those that start at a cursor. */
export function filterContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("a filtered subscription of %i partitions", (partitions) =>
    filtering(api, partitions),
  );
  describe("a start at a cursor", () => starting(api));
}

type Filter = NonNullable<z.input<typeof CreateSubscription>["filter"]>;

const COUNT = 60;
const events = Array.from({ length: COUNT }, (_, n) => ({
  key: `${n % 2 === 0 ? "even" : "odd"}-${n % 6}`,
  type: `t${n % 3}`,
  headers: { tens: String(Math.floor(n / 10)), source: n % 5 === 0 ? "five" : "other" },
  data: n % 20 === 19 ? null : n,
}));

function filtering(api: Client, partitions: number): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    await api.publish(stream, events.slice(0, COUNT / 2));
    await api.publish(stream, events.slice(COUNT / 2));
  });

  /** Reads everything that the subscription delivers, with a commit after every page. */
  async function readAll(name: string, filter: Filter, limit: number) {
    await api.createSubscription(stream, { name, filter });
    const seen: LedgerEvent[] = [];
    for (let caughtUp = false; !caughtUp; ) {
      const { body } = await api.poll(stream, name, { limit });
      expect(body.events.length).toBeLessThanOrEqual(limit);
      seen.push(...body.events);
      await api.commit(stream, name, body.cursor);
      ({ caughtUp } = body);
    }
    expect(await api.getSubscription(stream, name)).toMatchObject({
      lag: { events: 0, seconds: 0 },
    });
    return seen.map(({ key, type, data }) => `${key} ${type} ${data}`).sort();
  }

  const expected = (matches: (event: (typeof events)[number]) => boolean) =>
    events
      .filter(matches)
      .map(({ key, type, data }) => `${key} ${type} ${data}`)
      .sort();

  it("[sub.filter] a filter selects by type, key prefix and header, each alone and all together", async () => {
    const cases: [string, Filter, (event: (typeof events)[number]) => boolean][] = [
      ["type", { types: ["t1"] }, ({ type, data }) => type === "t1" || data === null],
      ["types", { types: ["t2", "t0"] }, ({ type, data }) => type !== "t1" || data === null],
      ["prefix", { keyPrefix: "odd-" }, ({ key }) => key.startsWith("odd-")],
      [
        "header",
        { headers: { source: "five" } },
        ({ headers, data }) => headers.source === "five" || data === null,
      ],
      [
        "all",
        { types: ["t1", "t2"], keyPrefix: "even-", headers: { tens: "3" } },
        ({ key, type, headers, data }) =>
          key.startsWith("even-") && ((type !== "t0" && headers.tens === "3") || data === null),
      ],
    ];
    for (const [name, filter, matches] of cases) {
      // Small pages are read once with a filter that most events pass, and once with a rare one.
      for (const limit of name === "types" || name === "all" ? [3, 1_000] : [1_000]) {
        expect(await readAll(`${name}-${limit}`, filter, limit), name).toEqual(expected(matches));
      }
    }
  });

  it("[sub.filter] a subscription whose filter excludes everything still reaches the end", async () => {
    await api.createSubscription(stream, { name: "none", filter: { keyPrefix: "no-such" } });
    const { body } = await api.poll(stream, "none");
    expect(body).toMatchObject({ events: [], caughtUp: true, lag: { events: 0 } });
    const { body: receipt } = await api.commit(stream, "none", body.cursor);
    expect(receipt).toMatchObject({ stale: false, lag: { events: 0 } });
  });

  it("[poll.wait] a waiting poll is not woken by events that its filter leaves out", async () => {
    const own = await api.newStream({ partitions });
    await api.createSubscription(own, { name: "s", filter: { types: ["wanted"] } });
    const polling = api.poll(own, "s", { waitSeconds: 20 });
    for (let n = 0; n < 3; n++) await api.publish(own, { key: `k${n}`, type: "other", data: n });
    await api.publish(own, { key: "k", type: "wanted", data: 1 });
    const { body } = await polling;
    expect(body.events.map(({ key }) => key)).toEqual(["k"]);
    await api.commit(own, "s", body.cursor);
    expect((await api.getSubscription(own, "s")).lag.events).toBe(0);
  });

  it("[sub.start] an equal filter in another form is the same subscription, and another filter is not", async () => {
    const make = (filter?: Filter) =>
      api.createSubscription(stream, { name: "same", ...(filter === undefined ? {} : { filter }) });
    const filter = { types: ["a", "b"], headers: { x: "1", y: "2" } };
    const made = await make(filter);
    expect(made.status).toBe(201);
    expect(made.body.filter).toEqual(filter);
    const again = await make({ headers: { y: "2", x: "1" }, types: ["b", "a", "a"] });
    expect(again.status).toBe(200);
    expect((await api.getSubscription(stream, "same")).filter).toEqual(filter);
    for (const other of [undefined, { types: ["a"] }, { ...filter, keyPrefix: "k" }]) {
      await refusal(make(other), "subscription-exists");
    }
  });

  it("[error.problem] filters that are too large or meaningless are refused", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `h${n}`);
    const headers = (count: number) => Object.fromEntries(many(count).map((name) => [name, ""]));
    const make = (name: string, filter: object) => api.createSubscription(stream, { name, filter });
    await make("most", { types: many(LIMITS.filterTypesMax) });
    await make("most-headers", { headers: headers(LIMITS.filterHeadersMax) });
    for (const wrong of [
      { types: [] },
      { types: [""] },
      { types: many(LIMITS.filterTypesMax + 1) },
      { headers: headers(LIMITS.filterHeadersMax + 1) },
      { headers: { UPPER: "x" } },
      { keyPrefix: "" },
      { keyPrefix: "k".repeat(LIMITS.keyBytesMax + 1) },
      { type: "t1" },
    ]) {
      await refusal(make("wrong", wrong), "invalid-request");
    }
  });
}

function starting(api: Client): void {
  it("[sub.start] a subscription at a receipt's cursor receives everything after it", async () => {
    const stream = await api.newStream({ partitions: 4 });
    await api.publish(stream, events.slice(0, 20));
    const { cursor } = (await api.publish(stream, events.slice(20, 40))).body;
    await api.publish(stream, events.slice(40));
    const json = { name: "s", start: { cursor } };
    expect((await api.createSubscription(stream, json)).status).toBe(201);
    expect((await api.createSubscription(stream, json)).status).toBe(200);
    const delivered = (await api.poll(stream, "s")).body.events;
    const following = events.slice(40).map(({ data }) => data);
    expect(delivered.map(({ data }) => data)).toEqual(expect.arrayContaining(following));
    // In partitions that the receipt does not name, the time of the publish decides.
    expect(delivered.length).toBeLessThanOrEqual(40);
  });

  it("[sub.start] a subscription at a browsing cursor receives exactly the rest", async () => {
    const stream = await api.newStream({ partitions: 4 });
    await api.publish(stream, events);
    const page = (await api.browse(stream, { limit: 25 })).body;
    await api.createSubscription(stream, { name: "s", start: { cursor: page.cursor } });
    const rest = (await api.poll(stream, "s")).body.events;
    const key = ({ key, sequence }: { key: string; sequence: number }) => `${key} ${sequence}`;
    const all = await api.readAll(stream);
    expect([...page.events, ...rest].map(key).sort()).toEqual(all.map(key).sort());
  });

  it("[cursor.bound] a subscription cannot start at a cursor of something else", async () => {
    const [stream, other] = [await api.newStream(), await api.newStream()];
    await api.createSubscription(stream, { name: "s" });
    const own = (await api.poll(stream, "s")).body.cursor;
    const foreign = (await api.browse(other)).body.cursor;
    for (const cursor of [own, foreign, "A".repeat(64)]) {
      const made = api.createSubscription(stream, { name: "t", start: { cursor } });
      await refusal(made, "invalid-cursor");
    }
    await refusal(api.getSubscription(stream, "t"), "subscription-not-found");
  });
}
