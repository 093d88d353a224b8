import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/**
 * Tests reading a stream without a subscription: where it starts, what it leaves out and how it
 * continues.
 */
/** A shorter text counts as another place, and the server lists the possible places. */
const SIGNED_CHARS_MIN = 24;

export function browseContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("browsing a stream of %i partitions", (partitions) => {
    describe("from a place", () => from(api, partitions));
    describe("with a filter", () => filter(api, partitions));
  });
  describe("a cursor", () => cursors(api));
}

const dataOf = (events: readonly LedgerEvent[]) =>
  events.map(({ data }) => data as number).sort((a, b) => a - b);

function from(api: Client, partitions: number): void {
  let stream: string;
  let all: LedgerEvent[];
  const receipts: string[] = [];

  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    for (let request = 0; request < 8; request++) {
      const events = [0, 1, 2].map((n) => ({ key: `k${n}`, data: request * 3 + n }));
      receipts.push((await api.publish(stream, events)).body.cursor);
      // The requests are sent in different milliseconds, so their publication times differ.
      await sleep(3);
    }
    all = await api.readAll(stream);
  });

  const read = async (place: string) => dataOf(await api.readAll(stream, place));

  it("[read.from] browsing starts at the first event by default, and with earliest", async () => {
    expect(dataOf((await api.browse(stream)).body.events)).toEqual(dataOf(all));
    expect(await read("earliest")).toEqual(dataOf(all));
  });

  it("[read.from] browsing from latest starts after the durable events and receives later ones", async () => {
    const { body } = await api.browse(stream, { from: "latest" });
    expect(body).toMatchObject({ events: [], caughtUp: true });
    const own = await api.newStream({ partitions });
    const latest = (await api.browse(own, { from: "latest" })).body.cursor;
    await api.publish(
      own,
      [0, 1, 2].map((n) => ({ key: `k${n}`, data: n })),
    );
    expect(dataOf(await api.readAll(own, latest))).toEqual([0, 1, 2]);
  });

  it("[read.from] browsing from a moment starts with the first event published then or later", async () => {
    const times = [...new Set(all.map(({ publishedAt }) => publishedAt))].sort();
    expect(times.length).toBeGreaterThanOrEqual(8);
    const since = (moment: number) =>
      dataOf(all.filter(({ publishedAt }) => Date.parse(publishedAt) >= moment));
    for (const time of times) {
      const moment = Date.parse(time);
      expect(await read(time), "exactly then").toEqual(since(moment));
      expect(await read(new Date(moment + 1).toISOString()), "1 ms later").toEqual(
        since(moment + 1),
      );
      expect(await read(new Date(moment - 1).toISOString()), "1 ms before").toEqual(
        since(moment - 1),
      );
    }
  });

  it("[read.from] a moment may have any offset and be long past", async () => {
    const first = Date.parse(all[0]?.publishedAt ?? "");
    const local = new Date(first + 5.5 * 3_600_000).toISOString().replace("Z", "+05:30");
    expect(await read(local)).toEqual(dataOf(all));
    expect(await read("1970-01-01T00:00:00Z")).toEqual(dataOf(all));
  });

  it("[read.from] browsing starts at a sequence on a stream with one partition", async () => {
    if (partitions > 1) {
      const problem = await refusal(api.browse(stream, { from: 1 }), "invalid-request");
      expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(["/query/from"]);
      return;
    }
    for (const sequence of [1, 2, 3, 4, 12, 23, 24]) {
      const later = all.filter((event) => event.sequence >= sequence);
      expect(await read(String(sequence))).toEqual(dataOf(later));
    }
    const { body } = await api.browse(stream, { from: all.length + 1 });
    expect(body).toMatchObject({ events: [], caughtUp: true });
  });

  it("[read.from] browsing from a receipt's cursor reads all later events and none of its own", async () => {
    for (const [request, receipt] of receipts.entries()) {
      const later = dataOf(all).filter((data) => data >= (request + 1) * 3);
      expect(await read(receipt)).toEqual(later);
    }
  });

  it("[read.contiguous] browsing continues from every cursor where its page ended", async () => {
    let place = "earliest";
    const walked: LedgerEvent[] = [];
    for (let page = 0; page < all.length; page++) {
      const { body } = await api.browse(stream, { from: place, limit: 1 });
      walked.push(...body.events);
      const rest = await api.readAll(stream, body.cursor);
      expect(dataOf([...walked, ...rest])).toEqual(dataOf(all));
      place = body.cursor;
    }
    expect((await api.browse(stream, { from: place })).body).toMatchObject({
      events: [],
      caughtUp: true,
    });
  });

  it("[cursor.opaque] the same cursor always gives the same page", async () => {
    const { cursor } = (await api.browse(stream, { limit: 5 })).body;
    const [first, second] = await Promise.all([
      api.browse(stream, { from: cursor, limit: 5 }),
      api.browse(stream, { from: cursor, limit: 5 }),
    ]);
    const { events, cursor: next, caughtUp } = first.body;
    expect(second.body).toMatchObject({ events, cursor: next, caughtUp });
  });
}

function filter(api: Client, partitions: number): void {
  let stream: string;

  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    const events = Array.from({ length: 1_500 }, (_, n) => ({
      key: n % 500 === 0 ? "räre/ké y?&=#" : `k${n % 7}`,
      ...(n % 300 === 7 ? { type: "seldom" } : { type: n % 2 === 0 ? "even" : "odd" }),
      data: n,
    }));
    await api.publish(stream, events.slice(0, 750));
    await api.publish(stream, events.slice(750));
    await api.publish(stream, { key: "untyped", data: -1 });
  });

  async function walk(query: Record<string, unknown>, limit: number) {
    const found: LedgerEvent[] = [];
    for (let place = "earliest", pages = 0; ; pages++) {
      const { body } = await api.browse(stream, { ...query, from: place, limit });
      expect(body.events.length).toBeLessThanOrEqual(limit);
      found.push(...body.events);
      expect(pages).toBeLessThan(1_600);
      if (body.caughtUp) return dataOf(found);
      place = body.cursor;
    }
  }

  it.each([1, 2, 1_000])(
    "[read.filter] browsing finds every event of a type, a key or both in pages of %i",
    async (limit) => {
      expect(await walk({ type: "seldom" }, limit)).toEqual([7, 307, 607, 907, 1207]);
      expect(await walk({ key: "räre/ké y?&=#" }, limit)).toEqual([0, 500, 1_000]);
      expect(await walk({ key: "k0", type: "seldom" }, limit)).toEqual([7]);
      expect(await walk({ key: "no-such-key" }, limit)).toEqual([]);
      expect(await walk({ key: "untyped" }, limit)).toEqual([-1]);
    },
  );

  it("[read.filter] the cursor is after the last match that fits, not after the page", async () => {
    const { body } = await api.browse(stream, { type: "even", limit: 3 });
    const rest = await api.readAll(stream, body.cursor);
    const matched = new Set(dataOf(body.events));
    const left = dataOf(rest.filter(({ type }) => type === "even"));
    expect(left.length + matched.size).toBe((await walk({ type: "even" }, 1_000)).length);
    expect(left.filter((data) => matched.has(data))).toEqual([]);
  });
}

function cursors(api: Client): void {
  it("[cursor.bound] a cursor works on no other stream", async () => {
    const [one, two] = [await api.newStream(), await api.newStream({ partitions: 4 })];
    await api.publish(one, { key: "k", data: 1 });
    const receipt = (await api.publish(two, { key: "k", data: 1 })).body.cursor;
    const page = (await api.browse(one)).body.cursor;
    await refusal(api.browse(two, { from: page }), "invalid-cursor");
    await refusal(api.browse(one, { from: receipt }), "invalid-cursor");
  });

  it("[cursor.bound] a poll's cursor belongs to its subscription, not to browsing", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    const { cursor } = (await api.poll(stream, "s")).body;
    await refusal(api.browse(stream, { from: cursor }), "invalid-cursor");
  });

  it("[cursor.opaque] a cursor is refused with any character changed, removed or added", async () => {
    const stream = await api.newStream();
    const { cursor } = (await api.publish(stream, { key: "k", data: 1 })).body;
    const flip = (index: number) =>
      cursor.slice(0, index) + (cursor[index] === "A" ? "B" : "A") + cursor.slice(index + 1);
    const forged = [
      ...Array.from(cursor, (_, index) => flip(index)),
      cursor.slice(0, -1),
      cursor.slice(1),
      `${cursor}A`,
      cursor + cursor,
      cursor.slice(0, SIGNED_CHARS_MIN),
    ];
    for (const from of forged) await refusal(api.browse(stream, { from }), "invalid-cursor");
  });
}
