import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { beforeIdle } from "./before-idle.ts";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests polls that wait for events, and the pace of polls that do not wait. */
export function longPollContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("a poll that waits, on %i partitions", { concurrent: true }, (partitions) =>
    waiting(api, partitions),
  );
  describe("commit and poll in one", () => inOne(api));
  describe("a seek", () => seeking(api));
}

const event = (n: number) => ({ key: `k${n}`, data: n });

/** Returns the duration of a call in milliseconds, and its result. */
async function timed<T>(run: Promise<T>): Promise<{ ms: number; value: T }> {
  const began = performance.now();
  const value = await run;
  return { ms: performance.now() - began, value };
}

function waiting(api: Client, partitions: number): void {
  const create = async () => {
    const stream = await api.newStream({ partitions });
    await api.createSubscription(stream, { name: "s" });
    return stream;
  };

  it("[poll.wait] a waiting poll is answered as soon as something is published", async () => {
    const stream = await create();
    const polling = api.poll(stream, "s", { waitSeconds: 20 });
    await sleep(700);
    await api.publish(stream, event(1));
    const { body } = await beforeIdle(api, 10, polling);
    expect(body).toMatchObject({ events: [{ key: "k1" }], caughtUp: true });
  });

  it("[poll.wait] a poll is answered at once when there are events", async () => {
    const stream = await create();
    await api.publish(stream, [1, 2, 3].map(event));
    const polling = api.poll(stream, "s", { waitSeconds: 20, limit: 2 });
    const { body } = await beforeIdle(api, 10, polling);
    expect(body).toMatchObject({ events: { length: 2 }, caughtUp: false, nextPollMs: 0 });
  });

  it("[poll.wait] a waiting poll is answered with an empty page when the time is up", async () => {
    const stream = await create();
    const polling = timed(api.poll(stream, "s", { waitSeconds: 1 }));
    const { ms, value } = await beforeIdle(api, 10, polling);
    expect(ms).toBeGreaterThanOrEqual(990);
    expect(value.body).toMatchObject({ events: [], caughtUp: true, nextPollMs: 0 });
    await api.publish(stream, event(1));
    const after = await api.poll(stream, "s", { after: value.body.cursor });
    expect(after.body.events).toHaveLength(1);
  });

  it("[poll.wait] a waiting poll learns of a seek", async () => {
    const stream = await create();
    await api.publish(stream, [1, 2, 3].map(event));
    await api.seek(stream, "s", "latest");
    const polling = api.poll(stream, "s", { waitSeconds: 20 });
    await sleep(200);
    await api.seek(stream, "s", "earliest");
    const { body } = await beforeIdle(api, 10, polling);
    expect(body.events).toHaveLength(3);
  });

  it("[poll.wait] a waiting poll learns that the stream is gone", async () => {
    const stream = await create();
    const polling = api.poll(stream, "s", { waitSeconds: 20 });
    const refused = refusal(polling, "stream-not-found");
    await sleep(200);
    await api.deleteStream(stream);
    await refused;
  });

  it("[poll.pace] the next poll is due in a second at first, and at once after a wait or with more to come", async () => {
    const stream = await create();
    const pace = async (query: object) => (await api.poll(stream, "s", query)).body.nextPollMs;
    expect(await pace({})).toBe(1_000);
    expect(await pace({})).toBe(1_000);
    expect(await pace({ waitSeconds: 1 })).toBe(0);
    await api.publish(stream, [1, 2].map(event));
    expect(await pace({ limit: 1 })).toBe(0);
    expect(await pace({})).toBe(200);
  });
}

function inOne(api: Client): void {
  let stream: string;
  beforeEach(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    await api.publish(stream, [0, 1, 2, 3, 4].map(event));
  });

  it("[poll.commit] a stream is read with one request per page", async () => {
    const seen: unknown[] = [];
    for (let commit: string | undefined, caughtUp = false; !caughtUp; ) {
      const { body } = await api.commitAndPoll(stream, "s", {
        limit: 2,
        ...(commit === undefined ? {} : { commit }),
      });
      expect(body.stale).toBe(commit === undefined ? undefined : false);
      seen.push(...body.events.map(({ data }) => data));
      ({ cursor: commit, caughtUp } = body);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(1);
  });

  it("[poll.commit] the answer says when the commit changed nothing", async () => {
    const { cursor } = (await api.poll(stream, "s", { limit: 2 })).body;
    await api.commit(stream, "s", cursor);
    const { body } = await api.commitAndPoll(stream, "s", { commit: cursor, limit: 1 });
    expect(body).toMatchObject({ stale: true, events: [{ data: 2 }] });
  });

  it("[poll.commit] a poll continues from its own cursor when other workers have committed more", async () => {
    const { cursor } = (await api.poll(stream, "s", { limit: 1 })).body;
    await api.commit(stream, "s", (await api.poll(stream, "s", { limit: 3 })).body.cursor);
    const { body } = await api.commitAndPoll(stream, "s", { commit: cursor, limit: 2 });
    expect(body).toMatchObject({ stale: true, events: [{ data: 1 }, { data: 2 }] });
  });

  it("[bootstrap.after] a poll reads the snapshot first, even after a publish's cursor", async () => {
    await api.compact(stream);
    const { body: published } = await api.publish(stream, { key: "late", data: "late" });
    await api.createSubscription(stream, { name: "b", start: "bootstrap" });
    const { body } = await api.poll(stream, "b", { after: published.cursor });
    expect(body).toMatchObject({ phase: "bootstrap" });
    expect(body.events.length).toBeGreaterThan(0);
  });

  it("[poll.commit] nothing is delivered when the commit is refused", async () => {
    const { cursor } = (await api.poll(stream, "s", { limit: 2 })).body;
    await api.seek(stream, "s", "earliest");
    await refusal(api.commitAndPoll(stream, "s", { commit: cursor }), "invalid-cursor");
  });

  it("[sub.commit-partial] a part of a page can be committed", async () => {
    const part = (await api.poll(stream, "s", { limit: 3 })).body;
    const rest = (await api.poll(stream, "s", { after: part.cursor })).body;
    await api.commit(stream, "s", part.cursor);
    const again = (await api.poll(stream, "s")).body;
    expect(again.events).toEqual(rest.events);
    expect(again.events.map(({ data }) => data)).toEqual([3, 4]);
  });
}

function seeking(api: Client): void {
  it("[sub.lag] the view of the stream shows the exact lag of every subscription", async () => {
    const stream = await api.newStream({ partitions: 3 });
    for (const name of ["a", "b", "c"]) await api.createSubscription(stream, { name });
    await api.publish(stream, [0, 1, 2, 3, 4].map(event));
    const { cursor } = (await api.poll(stream, "b", { limit: 2 })).body;
    await api.commit(stream, "b", cursor);
    await api.seek(stream, "c", "latest");
    const { subscriptions } = await api.getStream(stream);
    expect(subscriptions.map(({ name, lag }) => [name, lag.events])).toEqual([
      ["a", 5],
      ["b", 3],
      ["c", 0],
    ]);
    expect(subscriptions[0]?.lag.seconds).toBeGreaterThan(0);
    expect(subscriptions[2]?.lag.seconds).toBe(0);
  });

  it("[sub.seek] a seek moves back and forward, and earlier cursors are refused", async () => {
    const stream = await api.newStream({ partitions: 4 });
    await api.createSubscription(stream, { name: "s" });
    const { cursor: middle } = (await api.publish(stream, [0, 1, 2].map(event))).body;
    const timestamp = new Date(Date.now() + 60_000).toISOString();
    await api.publish(stream, [3, 4].map(event));
    const count = async () => (await api.poll(stream, "s")).body.events.length;
    const before = (await api.poll(stream, "s")).body.cursor;
    for (const [to, left] of [
      ["latest", 0],
      ["earliest", 5],
      [{ timestamp }, 0],
      [{ cursor: middle }, 2],
      ["earliest", 5],
    ] as const) {
      const { body } = await api.seek(stream, "s", to);
      expect(body).toMatchObject({ phase: "log", lag: { events: left } });
      expect(await count()).toBe(left);
      await refusal(api.commit(stream, "s", before), "invalid-cursor");
    }
    await api.commit(stream, "s", (await api.poll(stream, "s")).body.cursor);
    expect(await count()).toBe(0);
  });

  it("[sub.seek-dry-run] a dry run shows the lag, refuses what a seek refuses, and moves nothing", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    await api.publish(stream, [0, 1, 2].map(event));
    const page = (await api.poll(stream, "s", { limit: 2 })).body;
    const { committed } = (await api.commit(stream, "s", page.cursor)).body;
    const dryRun = true;
    const other = await api.newStream();
    const { cursor: foreign } = (await api.publish(other, [event(0)])).body;
    for (const [to, shown] of [
      ["earliest", { phase: "log", lag: { events: 3 } }],
      ["latest", { phase: "log", lag: { events: 0 } }],
      [{ cursor: page.cursor }, { phase: "log", lag: { events: 1 } }],
      ["bootstrap", { phase: "bootstrap" }],
      [{ since: page.cursor }, { phase: "bootstrap" }],
    ] as const) {
      const { body } = await api.seek(stream, "s", to, { dryRun });
      expect(body, JSON.stringify(to)).toMatchObject({ ...shown, committed });
    }
    for (const to of [{ cursor: foreign }, { since: foreign }]) {
      for (const how of [{ dryRun }, {}]) {
        const refused = await refusal(api.seek(stream, "s", to, how), "invalid-cursor");
        expect(refused).toMatchObject({ reason: "other-stream" });
      }
    }
    const after = (await api.poll(stream, "s", { after: page.cursor })).body;
    expect(after).toMatchObject({ phase: "log", events: [{ sequence: 3 }] });
    const uncompacted = await api.newStream({ compaction: "none" });
    await api.createSubscription(uncompacted, { name: "s" });
    await refusal(api.seek(uncompacted, "s", "bootstrap", { dryRun }), "not-compacted");
  });
}
