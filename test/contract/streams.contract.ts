import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient, newName } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests creating, changing, describing and deleting streams. */
export function streamsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("creating a stream", () => creating(api));
  describe("listing streams", () => listing(api));
  describe("describing and changing a stream", () => describing(api));
  describe("deleting a stream", () => deleting(api));
}

function creating(api: Client): void {
  it("[stream.create-repeat] creating a stream answers 201 with Location, then 200 with the same stream", async () => {
    const name = newName();
    const before = Date.now() - CLOCK_SKEW_MS;
    const first = await api.createStream({ name });
    expect(first.status).toBe(201);
    expect(first.header("location")).toBe(at(name));
    expect(first.body).toEqual({
      name,
      description: "",
      partitions: 1,
      compaction: "key",
      retentionHours: LIMITS.retentionHoursDefault,
      createdAt: expect.any(String),
      life: expect.any(String),
    });
    expect(Date.parse(first.body.createdAt)).toBeGreaterThanOrEqual(before);

    const again = await api.createStream({ name, partitions: 1, compaction: "key" });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(again.header("location")).toBe("");
  });

  it("[stream.create-repeat] creating it with another configuration is refused and changes nothing", async () => {
    const name = newName();
    const config = { name, description: "d", partitions: 2, retentionHours: 5 };
    const { body: made } = await api.createStream(config);
    for (const other of [
      { description: "other" },
      { partitions: 3 },
      { retentionHours: 6 },
      { compaction: "none" as const },
    ]) {
      const problem = await refusal(api.createStream({ ...config, ...other }), "stream-exists");
      expect(problem.detail).toContain(Object.keys(other)[0]);
    }
    expect(await api.getStream(name)).toMatchObject(made);
  });

  it("[stream.create-repeat] many simultaneous attempts create one stream", async () => {
    const name = newName();
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.createStream({ name })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  it.each([
    ["a single character", () => `${Math.floor(Math.random() * 10)}`],
    ["every legal character", () => `${newName()}.a-b_c.0`],
    ["128 characters", () => newName().padEnd(LIMITS.nameCharsMax, "x")],
  ])("[stream.create-repeat] takes a name of %s", async (_, makeName) => {
    const name = makeName();
    expect((await api.createStream({ name })).body.name).toBe(name);
    expect(await api.getStream(name)).toMatchObject({ name, eventCount: 0 });
  });

  it("[publish.limits] every setting is accepted at its cap", async () => {
    const { body } = await api.createStream({
      name: newName(),
      description: "é".repeat(LIMITS.descriptionBytesMax / 2),
      partitions: LIMITS.partitionsMax,
      retentionHours: LIMITS.retentionHoursMax,
    });
    expect(body).toMatchObject({ partitions: 64, retentionHours: 8_760 });
  });
}

const CLOCK_SKEW_MS = 60_000;

function listing(api: Client): void {
  it("[list.page] the list is sorted by name and shows each stream once, in pages of any size", async () => {
    const names = await Promise.all(Array.from({ length: 5 }, () => api.newStream()));
    const listed = await listAll(api, 1);
    expect(listed).toEqual([...listed].sort());
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toEqual(expect.arrayContaining(names));
    expect(await listAll(api, LIMITS.listMax)).toEqual(expect.arrayContaining(names));
  });
}

/** Returns the names of all streams, requested in pages of `limit`. */
async function listAll(api: Client, limit: number): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const { body } = await api.listStreams({ limit, cursor });
    expect(body.streams.length).toBeLessThanOrEqual(limit);
    names.push(...body.streams.map(({ name }) => name));
    if (body.cursor === null) return names;
    cursor = body.cursor;
  }
}

function describing(api: Client): void {
  it("[stream.create-repeat] the view shows the statistics of the stream", async () => {
    const stream = await api.newStream({ partitions: 3 });
    const empty = await api.getStream(stream);
    expect(empty).toMatchObject({
      eventCount: 0,
      bytes: 0,
      firstEventAt: null,
      lastEventAt: null,
      watermarkLag: { events: 0, seconds: 0 },
      subscriptionCount: 0,
    });
    for (let n = 0; n < 4; n++) {
      const keys = [`a${n}`, `b${n}`, `c${n}`];
      await api.publish(
        stream,
        keys.map((key) => ({ key, data: n })),
      );
      await sleep(2);
    }
    for (const name of ["one", "two", "three"]) await api.createSubscription(stream, { name });
    await api.deleteSubscription(stream, "two");

    const times = (await api.readAll(stream)).map(({ publishedAt }) => publishedAt).sort();
    const info = await api.getStream(stream);
    expect(info).toMatchObject({
      eventCount: 12,
      firstEventAt: times[0],
      lastEventAt: times.at(-1),
      subscriptionCount: 2,
    });
    expect(info.watermarkLag.events).toBeLessThanOrEqual(12);
  });

  it("[stream.patch] a change affects description and retention, and nothing else", async () => {
    const stream = await api.newStream({ description: "old" });
    await api.publish(stream, { key: "k", data: 1 });
    const { name, createdAt, life } = await api.getStream(stream);
    const patched = await api.patchStream(stream, { description: "new", retentionHours: 1 });
    expect(patched.body).toEqual({
      name,
      createdAt,
      life,
      description: "new",
      retentionHours: 1,
      partitions: 1,
      compaction: "key",
    });
    expect((await api.patchStream(stream, {})).body).toEqual(patched.body);
    expect((await api.patchStream(stream, { archiveDays: null })).body).toEqual(patched.body);
    expect(await api.getStream(stream)).toMatchObject({ ...patched.body, eventCount: 1 });
    expect((await api.createStream({ name, description: "new", retentionHours: 1 })).status).toBe(
      200,
    );
    await refusal(api.patchStream(newName(), { description: "x" }), "stream-not-found");
  });
}

function deleting(api: Client): void {
  let gone: string;
  let cursor: string;
  let pollCursor: string;

  beforeAll(async () => {
    gone = await api.newStream({ partitions: 4 });
    await api.publish(
      gone,
      Array.from({ length: 8 }, (_, n) => ({ key: `k${n}`, data: n })),
      { idempotencyKey: "once" },
    );
    await api.createSubscription(gone, { name: "sub" });
    cursor = (await api.browse(gone, { limit: 3 })).body.cursor;
    pollCursor = (await api.poll(gone, "sub", { limit: 3 })).body.cursor;
    expect((await api.deleteStream(gone)).body).toEqual({ name: gone, status: "deleting" });
  });

  const everywhere: [string, (stream: string) => Promise<unknown>][] = [
    ["describe", (stream) => api.getStream(stream)],
    ["patch", (stream) => api.patchStream(stream, { description: "x" })],
    ["publish", (stream) => api.publish(stream, { key: "k", data: 1 })],
    ["browse", (stream) => api.browse(stream)],
    ["browse latest", (stream) => api.browse(stream, { from: "latest" })],
    ["browse on", (stream) => api.browse(stream, { from: cursor })],
    ["browse by time", (stream) => api.browse(stream, { from: "2020-01-01T00:00:00Z" })],
    ["subscribe", (stream) => api.createSubscription(stream, { name: "new" })],
    ["list subscriptions of", (stream) => api.listSubscriptions(stream)],
    ["describe a subscription of", (stream) => api.getSubscription(stream, "sub")],
    ["delete a subscription of", (stream) => api.deleteSubscription(stream, "sub")],
    ["poll", (stream) => api.poll(stream, "sub")],
    ["poll on in", (stream) => api.poll(stream, "sub", { after: pollCursor })],
    ["commit to", (stream) => api.commit(stream, "sub", pollCursor)],
  ];
  it.each(everywhere)(
    "[stream.delete] a request cannot %s a deleted stream, nor one that never existed",
    async (_, run) => {
      await refusal(run(gone), "stream-not-found");
      await refusal(run("never-was"), "stream-not-found");
    },
  );

  it("[stream.delete] a deleted stream leaves the list at once", async () => {
    expect(await listAll(api, LIMITS.listMax)).not.toContain(gone);
  });

  it("[stream.recreate] a new life shows nothing of the former one", async () => {
    const created = await api.createStream({ name: gone, partitions: 2 });
    expect(created.status).toBe(201);
    expect(await api.getStream(gone)).toMatchObject({
      eventCount: 0,
      bytes: 0,
      firstEventAt: null,
      lastEventAt: null,
      subscriptionCount: 0,
      partitions: 2,
    });
    expect(await api.readAll(gone)).toEqual([]);
    expect((await api.browse(gone, { from: "2020-01-01T00:00:00Z" })).body.events).toEqual([]);
    expect((await api.listSubscriptions(gone)).body.subscriptions).toEqual([]);
    await refusal(api.poll(gone, "sub"), "subscription-not-found");
    await refusal(api.getSubscription(gone, "sub"), "subscription-not-found");

    const [receipt] = (await api.publish(gone, { key: "k0", data: "new" })).body.events;
    expect(receipt?.sequence).toBe(1);
    expect(await api.readAll(gone)).toMatchObject([{ key: "k0", data: "new", sequence: 1 }]);
  });

  it("[stream.recreate] a new life refuses the cursors of the former one", async () => {
    await api.createSubscription(gone, { name: "sub" });
    await refusal(api.browse(gone, { from: cursor }), "invalid-cursor");
    await refusal(api.browse(gone, { from: pollCursor }), "invalid-cursor");
    await refusal(api.poll(gone, "sub", { after: pollCursor }), "invalid-cursor");
    await refusal(api.commit(gone, "sub", pollCursor), "invalid-cursor");
    expect((await api.poll(gone, "sub")).body.events).toHaveLength(1);
  });

  it("[stream.recreate] these promises hold through many lives under concurrent publishing", async () => {
    const name = await api.newStream();
    for (let life = 0; life < 4; life++) {
      const publishing = Array.from({ length: 6 }, (_, n) =>
        api.publish(name, { key: "k", data: `${life}.${n}` }).then(
          () => 1,
          async (error: unknown) => {
            await refusal(Promise.reject(error), "stream-not-found");
            return 0;
          },
        ),
      );
      await Promise.race([Promise.all(publishing), sleep(life * 3)]);
      await api.deleteStream(name);
      await Promise.all(publishing);
      await api.createStream({ name });
      const left = await api.readAll(name);
      expect(left).toEqual([]);
    }
  });
}
