import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests publishing: receipts, order and atomicity with any number of hidden partitions. */
export function publishContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("publishing", () => receipts(api));
  describe.each([1, 4, 64])("a stream of %i partitions", (partitions) => order(api, partitions));
}

function receipts(api: Client): void {
  it("[publish.durable] one event is answered with its id and sequence, and is readable at once", async () => {
    const stream = await api.newStream();
    const sent = {
      key: "order-1",
      type: "order.placed",
      id: "my-id",
      time: "2026-11-24T08:30:00.123456789+05:30",
      headers: { "trace-id": "t", a: "" },
      data: { total: 42 },
    };
    const { status, body } = await api.publish(stream, sent);
    expect(status).toBe(201);
    const { life } = await api.getStream(stream);
    const events = [{ id: "my-id", sequence: 1 }];
    expect(body).toEqual({ events, cursor: expect.any(String), life });
    const [event] = await api.readAll(stream);
    expect(event).toEqual({ ...sent, sequence: 1, publishedAt: expect.any(String) });
  });

  it("[publish.durable] the server creates missing ids, and the log has the same ones", async () => {
    const stream = await api.newStream();
    const { body } = await api.publish(stream, [
      { key: "a", data: 1 },
      { key: "b", data: null, id: "given" },
      { key: "a", data: [] },
    ]);
    const events = await api.readAll(stream);
    expect(events.map(({ id, sequence }) => ({ id, sequence }))).toEqual(body.events);
    expect(new Set(body.events.map(({ id }) => id)).size).toBe(3);
    expect(body.events[1]?.id).toBe("given");
    expect(events.map(({ data }) => data)).toEqual([1, null, []]);
    expect(Object.keys(events[0] ?? {}).sort()).toEqual(
      ["data", "id", "key", "publishedAt", "sequence"].sort(),
    );
  });

  it("[publish.durable] two events may have the same id, because an id is a name and no promise", async () => {
    const stream = await api.newStream();
    await api.publish(stream, { key: "k", id: "same", data: 1 });
    await api.publish(stream, { key: "k", id: "same", data: 2 });
    expect((await api.readAll(stream)).map(({ data }) => data)).toEqual([1, 2]);
  });

  it("[publish.order] events are numbered one after another, and times never decrease", async () => {
    const stream = await api.newStream();
    const sequences: number[] = [];
    for (let n = 0; n < 20; n++) {
      const { body } = await api.publish(stream, { key: `k${n % 3}`, data: n });
      sequences.push(...body.events.map(({ sequence }) => sequence));
    }
    expect(sequences).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    const events = await api.readAll(stream);
    expect(events.map(({ data }) => data)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    const times = events.map(({ publishedAt }) => publishedAt);
    expect(times).toEqual([...times].sort());
  });

  it("[publish.atomic] a request with one bad event writes nothing", async () => {
    const stream = await api.newStream({ partitions: 8 });
    const good = Array.from({ length: 50 }, (_, n) => ({ key: `k${n}`, data: n }));
    for (const bad of [
      { key: "", data: 1 },
      { key: "k", data: "\ud800" },
      { key: "k", data: "x".repeat(262_144) },
    ]) {
      await expect(api.publish(stream, [...good, bad])).rejects.toThrow(/\/events\/50/);
    }
    expect(await api.getStream(stream)).toMatchObject({ eventCount: 0 });
    expect((await api.publish(stream, good)).body.events).toHaveLength(50);
  });

  it("[error.nothing-written] the problem names the missing stream, and none is created", async () => {
    await refusal(api.publish("no-such-stream", { key: "k", data: 1 }), "stream-not-found");
    await refusal(api.getStream("no-such-stream"), "stream-not-found");
  });
}

const PUBLISHERS = 6;
const REQUESTS = 8;
const ROUNDS = 15;
const EVENTS = PUBLISHERS * REQUESTS * 3;

function order(api: Client, partitions: number): void {
  let published: LedgerEvent[];
  let stream: string;

  it("[publish.order] every publisher's order is kept per key, and each event exactly once", async () => {
    stream = await api.newStream({ partitions });
    const receipts = new Map<string, number>();
    await Promise.all(
      Array.from({ length: PUBLISHERS }, async (_, publisher) => {
        for (let n = 0; n < REQUESTS; n++) {
          const events = [0, 1, 2].map((part) => ({
            key: `p${publisher}-${part % 2}`,
            data: { publisher, n, part },
          }));
          const { body } = await api.publish(stream, events);
          for (const { id, sequence } of body.events) receipts.set(id, sequence);
        }
      }),
    );
    published = await api.readAll(stream);
    expect(published).toHaveLength(EVENTS);
    expect(new Map(published.map(({ id, sequence }) => [id, sequence]))).toEqual(receipts);
    for (const [, events] of Map.groupBy(published, ({ key }) => key)) {
      const places = events.map(({ data }) => placeOf(data));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      assertRising(events.map(({ sequence }) => sequence));
    }
    if (partitions === 1) {
      expect(published.map(({ sequence }) => sequence)).toEqual(published.map((_, n) => n + 1));
    }
  });

  const small = partitions === 1 ? 2 : 1;
  const limits = partitions === 64 ? [5, EVENTS] : [small, 7, EVENTS - 1, EVENTS, 1_000];
  it.each(limits)(
    "[read.order] a stream is read exactly once and in key order in pages of %i",
    async (limit) => {
      const events = await api.readAll(stream, "earliest", limit);
      expect(events).toHaveLength(published.length);
      expect(byKey(events)).toEqual(byKey(published));
    },
  );

  it("[read.contiguous] a reader skips nothing and repeats nothing while others publish", async () => {
    const busy = await api.newStream({ partitions });
    let done = false;
    const publishing = Promise.all(
      Array.from({ length: 4 }, async (_, publisher) => {
        for (let n = 0; n < ROUNDS; n++) {
          await api.publish(busy, { key: `k${publisher}`, data: n });
        }
      }),
    ).finally(() => {
      done = true;
    });
    const events: LedgerEvent[] = [];
    for (let from = "earliest"; ; ) {
      const over = done;
      const { body } = await api.browse(busy, { from, limit: 10 });
      events.push(...body.events);
      from = body.cursor;
      if (over && body.caughtUp) break;
      if (body.caughtUp) await sleep(5);
    }
    await publishing;
    for (const [, list] of Map.groupBy(events, ({ key }) => key)) {
      expect(list.map(({ data }) => data)).toEqual(Array.from({ length: ROUNDS }, (_, n) => n));
    }
    expect(events).toHaveLength(4 * ROUNDS);
  });
}

const placeOf = (data: unknown): number => {
  const { n, part } = data as { n: number; part: number };
  return n * 10 + part;
};

function assertRising(numbers: readonly number[]): void {
  for (const [index, number] of numbers.entries()) {
    expect(number).toBeGreaterThan(numbers[index - 1] ?? 0);
  }
}

const byKey = (events: readonly LedgerEvent[]) =>
  new Map([...Map.groupBy(events, ({ key }) => key)].sort(([a], [b]) => (a < b ? -1 : 1)));
