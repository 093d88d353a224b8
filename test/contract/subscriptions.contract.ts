import { setTimeout as sleep } from "node:timers/promises";
import { type LedgerEvent, LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests subscriptions: durable positions that only a commit moves. */
export function subscriptionsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("creating and listing subscriptions", () => creating(api));
  describe.each([1, 4])("a subscription of %i partitions", (partitions) => {
    describe("starts", () => starting(api, partitions));
    describe("polls and commits", () => committing(api, partitions));
  });
  describe("the cursor of a subscription", () => cursors(api));
  describe("a deleted subscription", () => deleted(api));
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => ({ key: `k${(from + n) % 9}`, data: from + n }));
const sorted = (events: readonly LedgerEvent[]) =>
  events.map(({ data }) => data as number).sort((a, b) => a - b);
const range = (from: number, to: number) => numbered(from, to).map(({ data }) => data);

function creating(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.publish(stream, numbered(0, 5));
  });

  it("[sub.start] creating a subscription answers 201 with Location, then 200 with the same, unmoved", async () => {
    const first = await api.createSubscription(stream, { name: "shipping" });
    expect(first.status).toBe(201);
    expect(first.header("location")).toBe(at(stream, "shipping"));
    expect(first.body).toMatchObject({ name: "shipping", stream, start: "earliest" });
    const { cursor } = (await api.poll(stream, "shipping", { limit: 3 })).body;
    await api.commit(stream, "shipping", cursor);
    const again = await api.createSubscription(stream, { name: "shipping", start: "earliest" });
    expect(again.status).toBe(200);
    expect(again.header("location")).toBe("");
    expect(again.body).toEqual(first.body);
    expect(await api.getSubscription(stream, "shipping")).toMatchObject({
      ...{ phase: "log", lag: { events: 2 } },
    });
  });

  it("[sub.start] another start under the same name is refused", async () => {
    const timestamp = { timestamp: "2026-01-01T00:00:00Z" };
    await api.createSubscription(stream, { name: "timed", start: timestamp });
    expect((await api.createSubscription(stream, { name: "timed", start: timestamp })).status).toBe(
      200,
    );
    for (const start of ["latest" as const, { timestamp: "2026-01-01T00:00:01Z" }]) {
      const again = api.createSubscription(stream, { name: "timed", start });
      await refusal(again, "subscription-exists");
    }
    expect((await api.getSubscription(stream, "timed")).start).toEqual(timestamp);
  });

  it("[sub.start] many simultaneous attempts create one subscription", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.createSubscription(stream, { name: "race" })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  it("[list.page] the list is sorted by name, with 50 entries unless 1 to 500 are requested", async () => {
    const own = await api.newStream();
    const names = Array.from({ length: 53 }, (_, n) => `s-${String(n).padStart(3, "0")}`);
    for (let n = 0; n < names.length; n += 10) {
      await Promise.all(
        names.slice(n, n + 10).map((name) => api.createSubscription(own, { name })),
      );
    }
    const page = await api.listSubscriptions(own);
    expect(page.body.subscriptions.map(({ name }) => name)).toEqual(names.slice(0, 50));
    const { cursor } = page.body;
    const rest = await api.listSubscriptions(own, { cursor, limit: 3 });
    expect(rest.body.subscriptions.map(({ name }) => name)).toEqual(names.slice(50));
    const all = await api.listSubscriptions(own, { limit: LIMITS.listMax });
    expect(all.body).toMatchObject({ subscriptions: { length: 53 }, cursor: null });
    expect(await api.getStream(own)).toMatchObject({ subscriptionCount: 53 });
    await api.deleteSubscription(own, "s-050");
    const without = await api.listSubscriptions(own, { cursor, limit: 1 });
    expect(without.body.subscriptions.map(({ name }) => name)).toEqual(["s-051"]);
  });

  it("[sub.start] the problem names the missing subscription", async () => {
    await refusal(api.getSubscription(stream, "missing"), "subscription-not-found");
    await refusal(api.deleteSubscription(stream, "missing"), "subscription-not-found");
    await refusal(api.poll(stream, "missing"), "subscription-not-found");
  });
}

function starting(api: Client, partitions: number): void {
  let stream: string;
  let times: string[];
  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    for (let n = 0; n < 3; n++) {
      await api.publish(stream, numbered(n * 10, n * 10 + 10));
      await sleep(3);
    }
    const events = await api.readAll(stream);
    times = [0, 10, 20].map(
      (first) =>
        events
          .filter(({ data }) => Number(data) >= first && Number(data) < first + 10)
          .map(({ publishedAt }) => publishedAt)
          .sort()
          .at(0) ?? "",
    );
  });

  it("[sub.start] a subscription starts at the earliest event", async () => {
    await api.createSubscription(stream, { name: "earliest", start: "earliest" });
    expect((await api.getSubscription(stream, "earliest")).lag.events).toBe(30);
    expect(sorted((await api.poll(stream, "earliest")).body.events)).toEqual(range(0, 30));
  });

  it("[sub.start] a subscription starts exactly at a moment", async () => {
    for (const [n, timestamp] of times.entries()) {
      const after = new Date(Date.parse(timestamp) + 1).toISOString();
      await api.createSubscription(stream, { name: `at-${n}`, start: { timestamp } });
      await api.createSubscription(stream, { name: `after-${n}`, start: { timestamp: after } });
      const then = (await api.poll(stream, `at-${n}`)).body;
      expect(sorted(then.events)).toEqual(range(n * 10, 30));
      const later = (await api.poll(stream, `after-${n}`)).body;
      expect(sorted(later.events)).toEqual(range(n * 10 + 10, 30));
    }
  });

  it("[sub.start] a subscription at the latest receives no earlier events and all later ones", async () => {
    await api.createSubscription(stream, { name: "latest", start: "latest" });
    const { body } = await api.poll(stream, "latest");
    expect(body).toMatchObject({ events: [], caughtUp: true, lag: { events: 0, seconds: 0 } });
    await api.publish(stream, numbered(30, 40));
    expect(sorted((await api.poll(stream, "latest")).body.events)).toEqual(range(30, 40));
  });
}

function committing(api: Client, partitions: number): void {
  let stream: string;
  const COUNT = 30;
  beforeEach(async () => {
    stream = await api.newStream({ partitions });
    await api.createSubscription(stream, { name: "s" });
    await api.publish(stream, numbered(0, COUNT / 2));
    await api.publish(stream, numbered(COUNT / 2, COUNT));
  });

  it("[sub.position] any number of polls leaves the position unmoved", async () => {
    const first = await api.poll(stream, "s", { limit: 7 });
    for (let n = 0; n < 3; n++) {
      const { body } = await api.poll(stream, "s", { limit: 7 });
      expect(body.events).toEqual(first.body.events);
      await api.poll(stream, "s", { after: body.cursor });
      await api.getSubscription(stream, "s");
      await api.browse(stream, { from: "earliest" });
      await api.send({ method: "HEAD", path: `${at(stream, "s")}/poll` });
    }
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(COUNT);
  });

  it("[sub.redelivery] everything after the commit is delivered again, and only that", async () => {
    const delivered: LedgerEvent[] = [];
    for (let caughtUp = false; !caughtUp; ) {
      const { body } = await api.poll(stream, "s", { limit: 7 });
      const again = await api.poll(stream, "s", { limit: 7 });
      expect(again.body.events).toEqual(body.events);
      delivered.push(...body.events);
      const { body: receipt } = await api.commit(stream, "s", body.cursor);
      expect(receipt).toMatchObject({ stale: false, lag: { events: COUNT - delivered.length } });
      ({ caughtUp } = body);
    }
    expect(sorted(delivered)).toEqual(range(0, COUNT));
    for (const [, events] of Map.groupBy(delivered, ({ key }) => key)) {
      const sequences = events.map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    }
    expect((await api.poll(stream, "s")).body).toMatchObject({ events: [], caughtUp: true });
  });

  it("[sub.lag] the lag is exact before and after polls and commits", async () => {
    const first = (await api.poll(stream, "s", { limit: 10 })).body;
    expect(first.lag.events).toBe(COUNT - 10);
    expect(first.caughtUp).toBe(false);
    const info = await api.getSubscription(stream, "s");
    expect(info.lag.events).toBe(COUNT);
    expect(info.lag.seconds).toBeGreaterThan(0);
    await sleep(30);
    const older = await api.getSubscription(stream, "s");
    expect(older.lag.seconds - info.lag.seconds).toBeGreaterThanOrEqual(0.02);
    const all = (await api.poll(stream, "s", { limit: COUNT })).body;
    expect(all.lag).toEqual({ events: 0, seconds: 0 });
    const { body } = await api.commit(stream, "s", all.cursor);
    expect(body.lag).toEqual({ events: 0, seconds: 0 });
    expect((await api.getSubscription(stream, "s")).lag).toEqual({ events: 0, seconds: 0 });
    await api.publish(stream, numbered(0, 3));
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(3);
  });

  it("[poll.caught-up] only the end says caughtUp; [poll.pace] and every page says when to ask again", async () => {
    const some = (await api.poll(stream, "s", { limit: COUNT - 1 })).body;
    expect(some).toMatchObject({ caughtUp: false, phase: "log", consistent: true, nextPollMs: 0 });
    const rest = (await api.poll(stream, "s", { after: some.cursor, limit: 10 })).body;
    expect(rest).toMatchObject({ caughtUp: true, events: { length: 1 } });
    const idle = (await api.poll(stream, "s", { after: rest.cursor })).body;
    expect(idle).toMatchObject({ caughtUp: true, events: [] });
    expect(idle.nextPollMs).toBeGreaterThanOrEqual(rest.nextPollMs);
    await api.publish(stream, numbered(0, 1));
    const ahead = (await api.poll(stream, "s", { after: idle.cursor })).body;
    expect(ahead.events).toHaveLength(1);
  });

  it("[sub.commit-monotone] an older or repeated commit changes nothing and says stale", async () => {
    const pages: string[] = [];
    for (let n = 0, after: string | undefined; n < 3; n++) {
      after = (await api.poll(stream, "s", { limit: 10, after })).body.cursor;
      pages.push(after);
    }
    const [one = "", two = "", three = ""] = pages;
    expect((await api.commit(stream, "s", two)).body).toMatchObject({
      stale: false,
      lag: { events: 10 },
    });
    for (const older of [one, two, one]) {
      const { body } = await api.commit(stream, "s", older);
      expect(body).toMatchObject({ stale: true, lag: { events: 10 } });
      const onward = await api.poll(stream, "s", { after: body.committed });
      expect(onward.body.events).toHaveLength(10);
    }
    expect(sorted((await api.poll(stream, "s")).body.events)).toHaveLength(10);
    expect((await api.commit(stream, "s", three)).body).toMatchObject({ stale: false });
    expect((await api.poll(stream, "s")).body.events).toEqual([]);
  });

  it("[sub.commit-monotone] simultaneous commits end at the furthest position", async () => {
    const cursors: string[] = [];
    for (let n = 0, after: string | undefined; n < 6; n++) {
      after = (await api.poll(stream, "s", { limit: 5, after })).body.cursor;
      cursors.push(after);
    }
    await Promise.all([3, 0, 5, 1, 4, 2].map((n) => api.commit(stream, "s", cursors[n] ?? "")));
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(0);
  });

  it("[sub.position] after= reads ahead without a commit, each event once", async () => {
    const ahead: LedgerEvent[] = [];
    for (let after: string | undefined, caughtUp = false; !caughtUp; ) {
      const { body } = await api.poll(stream, "s", { limit: 4, after });
      expect(body.lag.events).toBe(COUNT - ahead.length - body.events.length);
      ahead.push(...body.events);
      ({ cursor: after, caughtUp } = body);
    }
    expect(sorted(ahead)).toEqual(range(0, COUNT));
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(COUNT);
  });

  it("[sub.position] two subscriptions move independently", async () => {
    await api.createSubscription(stream, { name: "other" });
    const { cursor } = (await api.poll(stream, "s", { limit: 12 })).body;
    await api.commit(stream, "s", cursor);
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(COUNT - 12);
    expect((await api.getSubscription(stream, "other")).lag.events).toBe(COUNT);
    expect(sorted((await api.poll(stream, "other")).body.events)).toEqual(range(0, COUNT));
  });
}

function cursors(api: Client): void {
  let stream: string;
  let own: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.publish(stream, numbered(0, 5));
    for (const name of ["one", "two"]) await api.createSubscription(stream, { name });
    own = (await api.poll(stream, "one", { limit: 2 })).body.cursor;
  });

  const refused = async (cursor: string, name = "one") => {
    await refusal(api.commit(stream, name, cursor), "invalid-cursor");
    await refusal(api.poll(stream, name, { after: cursor }), "invalid-cursor");
  };

  it("[cursor.bound] another subscription refuses the cursor", () => refused(own, "two"));

  it("[cursor.bound] a list refuses the cursor", async () => {
    const { cursor } = (await api.listSubscriptions(stream, { limit: 1 })).body;
    await expect(api.commit(stream, "one", cursor ?? "")).rejects.toThrow(/"status":400/);
    await expect(api.listSubscriptions(stream, { cursor: own })).rejects.toThrow(/"status":400/);
  });

  it("[cursor.bound] a cursor of the stream can be read from, and never be committed", async () => {
    const own = await api.newStream();
    await api.createSubscription(own, { name: "s" });
    const receipt = (await api.publish(own, numbered(0, 3))).body.cursor;
    const page = (await api.browse(own, { limit: 1 })).body.cursor;
    await api.publish(own, numbered(3, 5));
    for (const [cursor, expected] of [
      [page, range(1, 5)],
      [receipt, range(3, 5)],
    ] as const) {
      const { body } = await api.poll(own, "s", { after: cursor });
      expect(sorted(body.events)).toEqual(expected);
      await refusal(api.commit(own, "s", cursor), "invalid-cursor");
    }
    expect((await api.getSubscription(own, "s")).lag.events).toBe(5);
  });

  it("[cursor.bound] a subscription of the same name on another stream refuses the cursor", async () => {
    const other = await api.newStream();
    await api.createSubscription(other, { name: "one" });
    await refusal(api.commit(other, "one", own), "invalid-cursor");
    await refusal(api.poll(other, "one", { after: own }), "invalid-cursor");
  });

  it("[cursor.opaque] a cursor is refused with any character changed, removed or added", async () => {
    const changed = Array.from(own, (char, index) => {
      const other = char === "A" ? "B" : "A";
      return own.slice(0, index) + other + own.slice(index + 1);
    });
    for (const cursor of [...changed, own.slice(0, -1), own.slice(1), `${own}A`]) {
      await refusal(api.commit(stream, "one", cursor), "invalid-cursor");
    }
    await refused("A".repeat(LIMITS.cursorCharsMax));
    await refused("A".repeat(64));
    expect((await api.getSubscription(stream, "one")).lag.events).toBe(5);
    expect((await api.commit(stream, "one", own)).body.stale).toBe(false);
  });

  it("[cursor.bound] a cursor of a former subscription of the name is refused", async () => {
    await api.createSubscription(stream, { name: "again" });
    const { cursor } = (await api.poll(stream, "again")).body;
    await api.deleteSubscription(stream, "again");
    await api.createSubscription(stream, { name: "again" });
    await refused(cursor, "again");
    expect((await api.getSubscription(stream, "again")).lag.events).toBe(5);
  });
}

function deleted(api: Client): void {
  it("[sub.start] a deleted subscription is 404 at once everywhere, and its name begins again", async () => {
    const stream = await api.newStream({ partitions: 4 });
    await api.publish(stream, numbered(0, 20));
    await api.createSubscription(stream, { name: "gone", start: "earliest" });
    const { cursor } = (await api.poll(stream, "gone")).body;
    await api.commit(stream, "gone", cursor);
    const { status, text } = await api.deleteSubscription(stream, "gone");
    expect([status, text]).toEqual([204, ""]);
    for (const run of [
      () => api.poll(stream, "gone"),
      () => api.poll(stream, "gone", { after: cursor }),
      () => api.commit(stream, "gone", cursor),
      () => api.getSubscription(stream, "gone"),
    ]) {
      await refusal(run(), "subscription-not-found");
    }
    expect((await api.listSubscriptions(stream)).body.subscriptions).toEqual([]);
    const again = await api.createSubscription(stream, { name: "gone", start: "latest" });
    expect(again.status).toBe(201);
    expect((await api.poll(stream, "gone")).body.events).toEqual([]);
    expect(await api.readAll(stream)).toHaveLength(20);
  });
}
