import { LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient, newName } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests a stream that gets other partitions while it is used. */
export function partitionsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("changing the partitions of a stream", () => changing(api));
  describe("a stream that went from 1 to 4 to 1 partition", () => reading(api));
  describe("a stream that changes while it is used", () => busy(api));
}

const KEYS = Array.from({ length: 12 }, (_, n) => `k${n}`);
const events = (data: number) => KEYS.map((key) => ({ key, data }));

function changing(api: Client): void {
  it("[partitions.change] the answer shows the new partitions, and repeating it changes nothing", async () => {
    const stream = await api.newStream();
    await api.publish(stream, events(1));
    const { body: changed } = await api.patchStream(stream, { partitions: 4, description: "four" });
    expect(changed).toMatchObject({ partitions: 4, description: "four" });
    expect(changed.nextPartitions).toBeUndefined();
    expect(changed.epochs).toMatchObject([
      { partitions: 1, firstSequence: 1, since: changed.createdAt },
      { partitions: 4 },
    ]);
    expect((await api.patchStream(stream, { partitions: 4 })).body).toEqual(changed);
    expect(await api.getStream(stream)).toMatchObject({ ...changed, eventCount: KEYS.length });
    const { streams } = (await api.listStreams({ limit: LIMITS.listMax })).body;
    expect(streams.find(({ name }) => name === stream)).toEqual(changed);
  });

  it("[partitions.auto] a stream with auto begins with one partition, and a number ends it", async () => {
    const stream = await api.newStream({ partitions: "auto" });
    const own = { partitions: 1, autoPartitions: true, crowdedMinutes: 0 };
    expect(await api.getStream(stream)).toMatchObject(own);
    // Creating it again with the same settings finds it, and with others is refused.
    await api.createStream({ name: stream, partitions: "auto" });
    await refusal(api.createStream({ name: stream, partitions: 1 }), "stream-exists");
    const { body: ended } = await api.patchStream(stream, { partitions: 1 });
    expect(ended).not.toHaveProperty("autoPartitions");
    expect(ended).toMatchObject({ partitions: 1 });
    expect(ended.epochs).toBeUndefined();
    const { body: again } = await api.patchStream(stream, { partitions: "auto" });
    expect(again).toMatchObject({ partitions: 1, autoPartitions: true });
    const { body: grown } = await api.patchStream(stream, { partitions: 3 });
    expect(grown).not.toHaveProperty("autoPartitions");
    expect(grown).toMatchObject({ partitions: 3 });
    for (const partitions of ["automatic", "1", 0, null]) {
      const body = JSON.stringify({ partitions });
      const headers = { "content-type": "application/json" };
      const wrong = await api.send({ method: "PATCH", path: at(stream), headers, body });
      expect(wrong.status).toBe(400);
    }
  });

  it("[partitions.change] requests at the same time all take effect, one after the other", async () => {
    const stream = await api.newStream({ partitions: 2 });
    const sizes = [1, 3, 3, 5];
    const answers = await Promise.all(
      sizes.map((partitions) => api.patchStream(stream, { partitions })),
    );
    for (const [index, { body }] of answers.entries()) {
      const had = body.epochs?.map(({ partitions }) => partitions);
      expect(had).toContain(sizes[index]);
    }
    await api.publish(stream, events(1));
    expect(await api.readAll(stream)).toHaveLength(KEYS.length);
  });

  it("[partitions.epochs] more than 96 partitions over all changes are refused, and nothing changes", async () => {
    const stream = await api.newStream({ partitions: LIMITS.partitionsMax });
    const left = LIMITS.partitionsEverMax - LIMITS.partitionsMax;
    await api.publish(stream, events(1));
    const over = { partitions: left + 1, description: "over" };
    const problem = await refusal(api.patchStream(stream, over), "invalid-request");
    expect(problem.errors).toMatchObject([{ pointer: "/partitions" }]);
    expect(await api.getStream(stream)).toMatchObject({ partitions: 64, description: "" });
    expect((await api.patchStream(stream, { partitions: left })).body.partitions).toBe(left);
    const none = await refusal(api.patchStream(stream, { partitions: 1 }), "invalid-request");
    expect(none.detail).toContain("cannot be changed any more");
    expect((await api.patchStream(stream, { partitions: left })).body.partitions).toBe(left);
    await api.publish(stream, events(2));
    expect(await api.readAll(stream)).toHaveLength(2 * KEYS.length);
  });

  it("[partitions.change] a stream that does not exist has no partitions to change", async () => {
    await refusal(api.patchStream(newName(), { partitions: 2 }), "stream-not-found");
  });
}

type Epochs = { readonly one: number; readonly four: number; readonly last: number };

function reading(api: Client): void {
  let stream: string;
  let early: string;
  let first: Epochs;
  const receipts: Record<string, string> = {};

  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "old" });
    const send = (data: number, idempotencyKey: string) =>
      api.publish(stream, events(data), { idempotencyKey });
    receipts.one = (await send(1, "one")).text;
    early = (await api.browse(stream, { limit: 5 })).body.cursor;
    const polled = (await api.poll(stream, "old", { limit: 5 })).body;
    await api.commit(stream, "old", polled.cursor);
    await api.patchStream(stream, { partitions: 4 });
    receipts.two = (await send(2, "two")).text;
    receipts.three = (await send(3, "three")).text;
    await api.patchStream(stream, { partitions: 1 });
    receipts.four = (await send(4, "four")).text;
    const { epochs = [] } = await api.getStream(stream);
    const [one = 0, four = 0, last = 0] = epochs.map(({ firstSequence }) => firstSequence);
    first = { one, four, last };
  });

  it("[partitions.sequence] sequences of a key rise across changes, and those of an epoch are above those before", async () => {
    const all = await api.readAll(stream);
    expect(all).toHaveLength(4 * KEYS.length);
    const from = [first.one, first.four, first.four, first.last, Infinity];
    for (const { sequence, data } of all) {
      expect(sequence).toBeGreaterThanOrEqual(from[Number(data) - 1] ?? 0);
      if (Number(data) !== 2) expect(sequence).toBeLessThan(from[Number(data)] ?? Infinity);
    }
    // With one partition the numbers have no gaps, from the first event of the epoch on.
    for (const [data, start] of [[1, first.one] as const, [4, first.last] as const]) {
      const numbers = all.filter((event) => event.data === data).map(({ sequence }) => sequence);
      expect(numbers).toEqual(KEYS.map((_, n) => start + n));
    }
  });

  it.each(KEYS.slice(0, 4))(
    "[partitions.order] every way of reading shows the events of %s in order",
    async (key) => {
      const ofKey = (page: { events: readonly { key: string; data?: unknown }[] }) =>
        page.events.filter((event) => event.key === key).map(({ data }) => data);
      expect(ofKey({ events: await api.readAll(stream) })).toEqual([1, 2, 3, 4]);
      const { body: history } = await api.browse(stream, { key });
      expect(ofKey(history)).toEqual([1, 2, 3, 4]);
      const { body: back } = await api.browse(stream, { key, order: "desc" });
      expect(ofKey(back)).toEqual([4, 3, 2, 1]);
      const { body: last } = await api.browse(stream, { key, last: 2 });
      expect(ofKey(last)).toEqual([3, 4]);
    },
  );

  it("[partitions.order] small pages pass from one epoch to the next and skip nothing", async () => {
    const seen: unknown[] = [];
    for (let from: string | undefined = "earliest"; from !== undefined; ) {
      const { body }: { body: Awaited<ReturnType<Client["browse"]>>["body"] } = await api.browse(
        stream,
        { from, limit: 3 },
      );
      seen.push(...body.events.map(({ data }) => data));
      from = body.caughtUp ? undefined : body.cursor;
    }
    expect(seen).toHaveLength(4 * KEYS.length);
    expect(seen.slice(0, KEYS.length)).toEqual(KEYS.map(() => 1));
    expect(seen.slice(-KEYS.length)).toEqual(KEYS.map(() => 4));
  });

  it("[partitions.cursors] cursors and committed offsets from before a change go on after what they cover", async () => {
    const { body: page } = await api.browse(stream, { from: early, limit: 1_000 });
    expect(page.events).toHaveLength(4 * KEYS.length - 5);
    const { body: polled } = await api.poll(stream, "old", { limit: 1_000 });
    expect(polled.events).toHaveLength(4 * KEYS.length - 5);
    expect(polled.caughtUp).toBe(true);
    expect((await api.commit(stream, "old", polled.cursor)).body.stale).toBe(false);
    expect((await api.getSubscription(stream, "old")).lag.events).toBe(0);
  });

  it.each([
    ["one", 1],
    ["two", 2],
    ["four", 4],
  ])(
    "[partitions.cursors] a replay of request %s answers the first receipt",
    async (idempotencyKey, data) => {
      const replay = await api.publish(stream, events(data), { idempotencyKey });
      expect(replay.status).toBe(200);
      expect(replay.body.events).toEqual(JSON.parse(receipts[idempotencyKey] ?? "").events);
    },
  );

  it("[partitions.sequence] a sequence is a place where its epoch has one partition", async () => {
    const { body: page } = await api.browse(stream, { from: first.one + 5, limit: 1_000 });
    expect(page.events).toHaveLength(4 * KEYS.length - 5);
    const { body: end } = await api.browse(stream, { from: first.last + 2 });
    expect(end.events.map(({ data }) => data)).toEqual(KEYS.slice(2).map(() => 4));
    const problem = await refusal(api.browse(stream, { from: first.four }), "invalid-request");
    expect(problem.errors).toMatchObject([{ pointer: "/query/from" }]);
    const { body: named } = await api.browse(stream, { sequence: first.last });
    expect(named.events).toMatchObject([{ sequence: first.last, data: 4 }]);
    await refusal(api.browse(stream, { sequence: first.four }), "invalid-request");
    const [event] = (await api.browse(stream, { key: "k0" })).body.events.slice(1);
    const { body: both } = await api.browse(stream, { key: "k0", sequence: event?.sequence });
    expect(both.events).toEqual([event]);
  });

  it("[partitions.sequence] a sequence cannot be committed where the partitions have changed", async () => {
    await api.createSubscription(stream, { name: "numbers" });
    const { status, body } = await api.send({
      method: "POST",
      path: `${at(stream, "numbers")}/commit`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ sequence: first.one }),
    });
    expect([status, body]).toMatchObject([400, { errors: [{ pointer: "/sequence" }] }]);
  });

  it("[partitions.order] a bootstrap gets each state once, and is exact after a change", async () => {
    await api.compact(stream);
    const { items } = await api.listCompacted(stream, { limit: LIMITS.listMax });
    expect(items.map(({ data }) => data)).toEqual(KEYS.map(() => 4));
    await api.createSubscription(stream, { name: "view", start: "bootstrap" });
    const states = new Map<string, unknown>();
    for (let isOver = false; !isOver; ) {
      const { body } = await api.poll(stream, "view", { limit: 5 });
      for (const { key, data } of body.events) states.set(key, data);
      await api.commit(stream, "view", body.cursor);
      isOver = body.caughtUp && body.consistent;
    }
    expect([...states.values()]).toEqual(KEYS.map(() => 4));
  });

  it("[partitions.workers] workers share one epoch after the other, and each key stays in order", async () => {
    await api.createSubscription(stream, { name: "team" });
    const seen = new Map<string, unknown[]>();
    for (let idle = 0; idle < 6; ) {
      for (const consumer of ["a", "b"]) {
        const { body } = await api.poll(stream, "team", { consumer, limit: 7 });
        for (const { key, data } of body.events) seen.set(key, [...(seen.get(key) ?? []), data]);
        await api.commit(stream, "team", body.cursor);
        idle = body.events.length === 0 ? idle + 1 : 0;
      }
    }
    expect([...seen.values()]).toEqual(KEYS.map(() => [1, 2, 3, 4]));
  });

  it("[partitions.workers] a key that is parked in an epoch stays parked in the next, and a retry delivers all of it", async () => {
    await api.createSubscription(stream, { name: "parking" });
    const { body: page } = await api.poll(stream, "parking", { limit: 3 });
    const [event] = page.events;
    const key = event?.key ?? "";
    await api.park(stream, "parking", { sequence: event?.sequence ?? 0, reason: "no" });
    for (let isOver = false; !isOver; ) {
      const { body } = await api.poll(stream, "parking", { limit: 10 });
      expect(body.events.filter((each) => each.key === key)).toEqual([]);
      await api.commit(stream, "parking", body.cursor);
      isOver = body.caughtUp;
    }
    await api.release(stream, "parking", key, "retry");
    const retried: unknown[] = [];
    for (let isOver = false; !isOver; ) {
      const { body } = await api.poll(stream, "parking", { limit: 2 });
      retried.push(...body.events.map(({ data }) => data));
      await api.commit(stream, "parking", body.cursor);
      isOver = body.events.length === 0;
    }
    expect(retried).toEqual([1, 2, 3, 4]);
  });
}

function busy(api: Client): void {
  it("[partitions.wait] publishers go on through every change", async () => {
    const stream = await api.newStream();
    let isOver = false;
    const published: Record<string, number[]> = {};
    const publishing = Promise.all(
      KEYS.slice(0, 4).map(async (key) => {
        const mine: number[] = [];
        published[key] = mine;
        for (let data = 0; !isOver || data < 5; data++) {
          const { body } = await api.publish(stream, { key, data });
          mine.push(body.events[0]?.sequence ?? 0);
        }
      }),
    );
    for (const partitions of [4, 16, 2]) await api.patchStream(stream, { partitions });
    isOver = true;
    await publishing;
    const all = await api.readAll(stream);
    for (const [key, sequences] of Object.entries(published)) {
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
      const found = all.filter((event) => event.key === key);
      expect(found.map(({ sequence }) => sequence)).toEqual(sequences);
      expect(found.map(({ data }) => data)).toEqual(sequences.map((_, n) => n));
    }
  });

  it("[partitions.change] a stream is deleted and created again after a change", async () => {
    const stream = await api.newStream();
    await api.publish(stream, events(1));
    await api.patchStream(stream, { partitions: 3 });
    const { cursor } = (await api.publish(stream, events(2))).body;
    await api.deleteStream(stream);
    await api.createStream({ name: stream });
    const info = await api.getStream(stream);
    expect(info).toMatchObject({ partitions: 1, eventCount: 0 });
    expect(info.epochs).toBeUndefined();
    await refusal(api.browse(stream, { from: cursor }), "invalid-cursor");
    const { events: again } = (await api.publish(stream, { key: "k0", data: 1 })).body;
    expect(again).toMatchObject([{ sequence: 1 }]);
  });
}
