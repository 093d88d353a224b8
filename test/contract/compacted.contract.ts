import { setTimeout as sleep } from "node:timers/promises";
import { type LedgerEvent, LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/**
 * Tests the current state of every key: as a list, for one key, and as the start of a subscription.
 */
export function compactedContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("the compacted state", () => reading(api));
  describe("keys of every legal shape", () => shapes(api));
  describe.each([1, 4])("bootstrap of %i partitions", (partitions) => bootstrap(api, partitions));
  describe.each([1, 4])("the list of %i partitions in parts", (partitions) =>
    parts(api, partitions),
  );
}

type State = Map<string, unknown>;

const fold = (state: State, events: readonly LedgerEvent[]): State => {
  for (const { key, data } of events) {
    if (data === null) state.delete(key);
    else state.set(key, data);
  }
  return state;
};

/** Compacts every event that was durable before the call. */
async function compactAll(api: Client, stream: string): Promise<void> {
  while (!(await api.compact(stream)).done);
}

function reading(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.publish(stream, [
      { key: "a", data: 1 },
      { key: "b", data: { old: true } },
      { key: "b", data: { old: false }, type: "b.changed" },
      { key: "gone", data: 1 },
      { key: "gone", data: null },
    ]);
    await compactAll(api, stream);
  });

  it("[compaction.latest] the list has the last event of every key and no deleted one", async () => {
    const { items, cursor } = await api.listCompacted(stream);
    expect(cursor).toBeNull();
    expect(items.map(({ key, data, sequence }) => ({ key, data, sequence }))).toEqual(
      expect.arrayContaining([
        { key: "a", data: 1, sequence: 1 },
        { key: "b", data: { old: false }, sequence: 3 },
      ]),
    );
    expect(items).toHaveLength(2);
  });

  it("[compaction.latest] the list shows an event as the log does", async () => {
    const { body } = await api.getCompacted(stream, "b");
    expect(body).toEqual((await api.readAll(stream))[2]);
  });

  it("[compaction.key] a deleted key is distinguished from an unknown one", async () => {
    const deleted = await refusal(api.getCompacted(stream, "gone"), "key-not-found");
    expect(deleted).toMatchObject({ deleted: true, sequence: expect.any(Number) });
    const unknown = await refusal(api.getCompacted(stream, "never"), "key-not-found");
    expect(unknown).toMatchObject({ deleted: false });
    expect(unknown).not.toHaveProperty("sequence");
  });

  it("[compaction.key] an ETag is answered with 304 until the state changes", async () => {
    const { header } = await api.getCompacted(stream, "a");
    const etag = header("etag") ?? "";
    const path = `${at(stream)}/compacted/a`;
    const again = await api.send({ path, headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    await api.publish(stream, { key: "a", data: 2 });
    await compactAll(api, stream);
    const changed = await api.send({ path, headers: { "if-none-match": etag } });
    expect(changed.status).toBe(200);
    expect(changed.header("etag")).not.toBe(etag);
  });

  it("[compaction.list] the follow cursor continues exactly after the list", async () => {
    const { follow } = await api.listCompacted(stream);
    await api.publish(stream, [
      { key: "later", data: 1 },
      { key: "a", data: 3 },
    ]);
    const events = await api.readAll(stream, follow);
    expect(events.map(({ key, data }) => [key, data])).toEqual([
      ["later", 1],
      ["a", 3],
    ]);
  });

  it("[compaction.now] a compaction reports how much it did, and that nothing is left", async () => {
    await compactAll(api, stream);
    const quiet = await api.newStream();
    await api.publish(quiet, { key: "k", data: 1 });
    const receipt = await api.compact(quiet);
    expect(receipt).toMatchObject({ done: true, watermarkLag: { events: 0, seconds: 0 } });
    expect((await api.getStream(quiet)).watermarkLag).toEqual({ events: 0, seconds: 0 });
  });

  it("[publish.interlock] a repair changes no numbering that is not at risk", async () => {
    expect(await api.repairNumbering(stream)).toEqual({ repaired: 0, done: true });
    await api.publish(stream, { key: "after", data: 1 });
  });

  it("[compaction.latest] a stream without compacted state has no list", async () => {
    const plain = await api.newStream({ compaction: "none" });
    await refusal(api.listCompacted(plain), "not-compacted");
  });
}

const SHAPES = [
  "#",
  "a/b",
  "a b",
  "100%",
  "%2F",
  "ключ",
  "🔑",
  "é",
  "e\u0301",
  "?x=1&y",
  "k".repeat(512),
];

function shapes(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.publish(
      stream,
      SHAPES.map((key) => ({ key, data: { key } })),
    );
    await compactAll(api, stream);
  });

  it.each(SHAPES)("[compaction.key] a request finds the state of %s", async (key) => {
    const { body } = await api.getCompacted(stream, key);
    expect(body).toMatchObject({ key, data: { key } });
  });

  it("[compaction.list] the list continues after the longest keys, on the most partitions", async () => {
    const { partitionsMax, keyBytesMax } = LIMITS;
    const wide = await api.newStream({ partitions: partitionsMax });
    const keys = Array.from({ length: 9 }, (_, n) => `${n}`.repeat(keyBytesMax));
    await api.publish(
      wide,
      keys.map((key) => ({ key, data: 1 })),
    );
    await compactAll(api, wide);
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await api.listCompacted(wide, { limit: 2, cursor });
      seen.push(...page.items.map(({ key }) => key));
      cursor = page.cursor;
    }
    expect(seen.sort()).toEqual(keys);
  });

  it.each(["prefix", "keyPrefix"])(
    "[compaction.list] the list returns pages by %s",
    async (name) => {
      const found: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const query = { limit: 1, [name]: "a", ...(cursor === undefined ? {} : { cursor }) };
        const page = await api.listCompacted(stream, query);
        for (const { key } of page.items) found.push(key);
        cursor = page.cursor;
      }
      expect(found.sort()).toEqual(["a b", "a/b"]);
      const both = api.listCompacted(stream, { prefix: "a", keyPrefix: "a" });
      await refusal(both, "invalid-request");
    },
  );
}

function parts(api: Client, partitions: number): void {
  let stream: string;
  const KEYS = 120;
  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    const keys = Array.from({ length: KEYS }, (_, n) => ({ key: `k${n}`, data: 0 }));
    await api.publish(stream, keys);
    await compactAll(api, stream);
  });

  /** Reads a part to its end, and divides what follows its first page when asked to. */
  async function readPart(of: string, part: string, divide?: number): Promise<LedgerEvent[]> {
    const query = divide === undefined ? {} : { parts: divide };
    const page = await api.listCompacted(of, { limit: 3, cursor: part, ...query });
    const states = [...page.items];
    const { cursor, parts: more } = page;
    const rest = more ?? (cursor === null ? [] : [cursor]);
    for (const next of rest) states.push(...(await readPart(of, next)));
    return states;
  }

  it("[compaction.parts] the parts have every key once, also when one is divided again", async () => {
    for (const count of [1, 2, 5, LIMITS.listPartsMax]) {
      const first = await api.listCompacted(stream, { limit: 3, parts: count });
      expect(first.cursor).toBeNull();
      expect(first.parts).toHaveLength(count);
      const states = [...first.items];
      for (const [at, part] of (first.parts ?? []).entries()) {
        const own = await readPart(stream, part, at === 0 ? 3 : undefined);
        if (count === 5) expect(own.length).toBeGreaterThan(KEYS / 20);
        states.push(...own);
      }
      expect(states).toHaveLength(KEYS);
      expect(new Set(states.map(({ key }) => key)).size).toBe(KEYS);
    }
  });

  it("[compaction.parts] a list that ends with its page has no parts", async () => {
    const whole = await api.listCompacted(stream, { limit: LIMITS.listMax, parts: 4 });
    expect([whole.items.length, whole.cursor, whole.parts]).toEqual([KEYS, null, []]);
    expect(await api.listCompacted(stream, { limit: 3 })).not.toHaveProperty("parts");
  });

  it("[compaction.parts] [bootstrap.exact] the parts and the events after them give the state of the log", async () => {
    const own = await api.newStream({ partitions });
    const put = (round: number) =>
      Array.from({ length: 40 }, (_, n) => ({
        key: `k${n}`,
        data: (n + round) % 7 ? round : null,
      }));
    await api.publish(own, put(1));
    await compactAll(api, own);
    const first = await api.listCompacted(own, { limit: 3, parts: 4 });
    const states = [...first.items];
    for (const [at, part] of (first.parts ?? []).entries()) {
      await api.publish(own, put(at + 2));
      await compactAll(api, own);
      states.push(...(await readPart(own, part)));
    }
    const start = { cursor: first.follow };
    await api.createSubscription(own, { name: "team", start });
    await api.createSubscription(own, { name: "late", start: "bootstrap" });
    await api.createSubscription(own, { name: "sought", start: "latest" });
    await api.seek(own, "sought", start);
    const log = await api.readAll(own, "earliest");
    for (const name of ["team", "late", "sought"]) {
      const state = fold(new Map(), states);
      const seen = new Map(states.map(({ key, sequence }) => [key, sequence]));
      let consistent = false;
      for (let after = name === "late" ? first.follow : undefined, pages = 0; ; pages++) {
        const { body: page } = await api.poll(own, name, { limit: 7, after });
        for (const { key, sequence } of page.events) {
          expect(sequence).toBeGreaterThan(seen.get(key) ?? 0);
          seen.set(key, sequence);
        }
        fold(state, page.events);
        if (pages === 0) expect(page.consistent).toBe(false);
        consistent = page.consistent;
        after = page.cursor;
        if (page.caughtUp) break;
      }
      expect(consistent).toBe(true);
      expect(state).toEqual(fold(new Map(), log));
    }
  });

  it("[compaction.parts] the cursor that follows the parts reads the log, and continues no list", async () => {
    const { follow } = await api.listCompacted(stream, { limit: 3, parts: 2 });
    const { body } = await api.browse(stream, { from: follow });
    expect(body.events).toEqual([]);
    await refusal(api.listCompacted(stream, { cursor: follow }), "invalid-cursor");
    const wrong = [{ parts: 0 }, { parts: LIMITS.listPartsMax + 1 }, { parts: 2, key: "k1" }];
    for (const query of wrong) await refusal(api.listCompacted(stream, query), "invalid-request");
  });
}

function bootstrap(api: Client, partitions: number): void {
  const put = (n: number) => ({ key: `k${n % 17}`, data: n % 10 === 9 ? null : n });

  it("[bootstrap.exact] [bootstrap.explicit-end] a bootstrap gives the state of the whole log whenever it says so", async () => {
    const stream = await api.newStream({ partitions });
    await api.publish(
      stream,
      Array.from({ length: 200 }, (_, n) => put(n)),
    );
    await compactAll(api, stream);
    await api.createSubscription(stream, { name: "view", start: "bootstrap" });
    let writing = true;
    const writer = (async () => {
      for (let n = 200; n < 320 && writing; n += 4) {
        await api.publish(
          stream,
          [n, n + 1, n + 2, n + 3].map((each) => put(each)),
        );
        if (n % 40 === 0) await api.compact(stream);
      }
    })();
    const view: State = new Map();
    const newest = new Map<string, number>();
    const ends: boolean[] = [];
    let after: string | undefined;
    for (let caughtUp = false; !caughtUp; ) {
      const query = { limit: 7, ...(after === undefined ? {} : { after }) };
      const { body } = await api.poll(stream, "view", query);
      for (const { key, sequence } of body.events) {
        expect(sequence).toBeGreaterThan(newest.get(key) ?? 0);
        newest.set(key, sequence);
      }
      fold(view, body.events);
      if (body.phase === "bootstrap") ends.push(body.snapshotEnd);
      else expect(ends.at(-1)).toBe(true);
      after = body.cursor;
      if (body.caughtUp) {
        writing = false;
        await writer;
        const last = (await api.poll(stream, "view", { limit: 1_000, after })).body;
        fold(view, last.events);
        expect(last).toMatchObject({ consistent: true, phase: "log", caughtUp: true });
        caughtUp = true;
      }
    }
    expect(ends.filter((end) => end)).toHaveLength(1);
    expect(view).toEqual(fold(new Map(), await api.readAll(stream)));
  });

  it("[bootstrap.resume] a bootstrap continues after a crash from what was committed", async () => {
    const stream = await api.newStream({ partitions });
    await api.publish(
      stream,
      Array.from({ length: 60 }, (_, n) => ({ key: `key-${n}`, data: n })),
    );
    await compactAll(api, stream);
    await api.createSubscription(stream, { name: "view", start: "bootstrap" });
    const view: State = new Map();
    let pages = 0;
    for (let done = false; !done; pages++) {
      const { body } = await api.poll(stream, "view", { limit: 25 });
      fold(view, body.events);
      const { stale } = (await api.commit(stream, "view", body.cursor)).body;
      expect(stale && body.events.length > 0).toBe(false);
      done = body.caughtUp && body.consistent;
      await sleep(1);
    }
    expect(pages).toBeGreaterThan(2);
    expect(view.size).toBe(60);
    expect((await api.getSubscription(stream, "view")).phase).toBe("log");
  });

  it("[sub.seek] a seek starts a new bootstrap", async () => {
    const stream = await api.newStream({ partitions });
    await api.publish(stream, { key: "a", data: 1 });
    await api.createSubscription(stream, { name: "view", start: "latest" });
    await compactAll(api, stream);
    const { cursor } = (await api.poll(stream, "view")).body;
    await api.seek(stream, "view", "bootstrap");
    await refusal(api.commit(stream, "view", cursor), "invalid-cursor");
    const { body } = await api.poll(stream, "view");
    expect(body.phase).toBe("bootstrap");
  });

  it("[sub.seek] a seek to a cursor within the snapshot goes on there, and one to the log ends it", async () => {
    const stream = await api.newStream({ partitions });
    const keys = Array.from({ length: 12 }, (_, n) => `key-${n}`);
    await api.publish(
      stream,
      keys.map((key) => ({ key, data: 1 })),
    );
    await compactAll(api, stream);
    await api.createSubscription(stream, { name: "view", start: "bootstrap" });
    const { body: first } = await api.poll(stream, "view", { limit: 5 });
    expect(first).toMatchObject({ phase: "bootstrap", snapshotEnd: false });
    await api.publish(
      stream,
      [1, 2, 3].map((data) => ({ key: "later", data })),
    );
    const within = await api.seek(stream, "view", { cursor: first.cursor });
    expect(within.body.phase).toBe("bootstrap");
    // The log continues where the snapshot began, so the lag counts the events since then.
    expect(await api.getSubscription(stream, "view")).toMatchObject({
      ...{ phase: "bootstrap", lag: { events: 3 } },
    });
    const { body: rest } = await api.poll(stream, "view", { limit: 100 });
    const seen = [...first.events, ...rest.events].map(({ key }) => key);
    expect(seen.toSorted()).toEqual(keys.toSorted());
    expect(rest).toMatchObject({ phase: "bootstrap", snapshotEnd: true });
    const out = await api.seek(stream, "view", "latest");
    expect(out.body).toMatchObject({ phase: "log", lag: { events: 0 } });
    expect((await api.getSubscription(stream, "view")).phase).toBe("log");
  });
}
