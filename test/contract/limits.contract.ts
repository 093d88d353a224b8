import { randomBytes } from "node:crypto";
import { LIMITS, type NewEvent, type Problem } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient, type Publishing } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

const KIB = 1_024;
const MIB = 1_024 * KIB;

/**
 * Tests every cap of a publish and of a page: a value at the cap is accepted, and one more is
 * refused.
 */
export function limitsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("the caps of an attribute", () => attributes(api));
  describe("the caps of an event and a request", () => sizes(api));
  describe("large requests of incompressible events", () => large(api));
  describe("the caps of a page", () => pages(api));
}

const headers = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`h${n}`, "v"]));
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

/** The name of each cap, an event at the cap, an event above it, and the pointer of the refusal. */
const ATTRIBUTES: [string, Partial<NewEvent>, Partial<NewEvent>, string][] = [
  ["key: 512 bytes", { key: "k".repeat(512) }, { key: "k".repeat(513) }, "/key"],
  ["key: 512 bytes of é", { key: "é".repeat(256) }, { key: `${"é".repeat(256)}k` }, "/key"],
  ["key: 512 bytes of €", { key: `${"€".repeat(170)}kk` }, { key: "€".repeat(171) }, "/key"],
  ["key: 512 bytes of 😀", { key: "😀".repeat(128) }, { key: `${"😀".repeat(128)}k` }, "/key"],
  ["key: 1 byte", { key: "k" }, { key: "" }, "/key"],
  ["type: 256 bytes", { type: "t".repeat(256) }, { type: "t".repeat(257) }, "/type"],
  ["type: 256 bytes of é", { type: "é".repeat(128) }, { type: "é".repeat(129) }, "/type"],
  ["type: 1 byte", { type: "t" }, { type: "" }, "/type"],
  ["id: 256 bytes", { id: "i".repeat(256) }, { id: "i".repeat(257) }, "/id"],
  ["id: 256 bytes of €", { id: `${"€".repeat(85)}i` }, { id: "€".repeat(86) }, "/id"],
  ["id: 1 byte", { id: "i" }, { id: "" }, "/id"],
  ["headers: 32", { headers: headers(32) }, { headers: headers(33) }, "/headers"],
  [
    "header name: 64 characters",
    { headers: { ["n".repeat(64)]: "v" } },
    { headers: { ["n".repeat(65)]: "v" } },
    "/headers/nnnnn",
  ],
  [
    "header value: 1 KiB",
    { headers: { n: "v".repeat(KIB) } },
    { headers: { n: "v".repeat(KIB + 1) } },
    "/headers/n",
  ],
  [
    "header value: 1 KiB of é",
    { headers: { n: "é".repeat(KIB / 2) } },
    { headers: { n: "é".repeat(KIB / 2 + 1) } },
    "/headers/n",
  ],
];

function attributes(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
  });

  it.each(ATTRIBUTES)(
    "[publish.limits] a %s at its cap is accepted, and no more",
    async (_, cap, over, pointer) => {
      const event = { key: "k", data: 1, ...cap };
      const { body } = await api.publish(stream, event);
      const { events } = (await api.browse(stream, { from: body.events[0]?.sequence })).body;
      expect(events).toMatchObject([event]);

      const problem = await refusal(
        api.publish(stream, { key: "k", data: 1, ...over }),
        "invalid-request",
      );
      expect(problem.errors?.[0]?.pointer).toMatch(new RegExp(`^${pointer}`));
      const after = await api.browse(stream, { from: body.cursor });
      expect(after.body.events).toEqual([]);
    },
  );

  it("[publish.limits] data of depth 64 is accepted, and no more", async () => {
    const { body } = await api.publish(stream, `{"key":"deep","data":${nested(64)}}`);
    const page = await api.browse(stream, { from: body.events[0]?.sequence });
    expect(page.text).toContain(`"data":${nested(64)}}`);
    const over = api.publish(stream, `{"key":"deep","data":${nested(65)}}`);
    const problem = await refusal(over, "unsupported-data");
    expect(problem).toMatchObject({ dataDepthMax: 64, errors: [{ pointer: "/data" }] });
    const mixed = `${'{"a":['.repeat(32)}1${"]}".repeat(32)}`;
    await api.publish(stream, `{"key":"deep","data":${mixed}}`);
    await refusal(api.publish(stream, `{"key":"deep","data":[${mixed}]}`), "unsupported-data");
  });

  it("[publish.limits] a key at its cap is accepted as a filter, and no more", async () => {
    const key = "😀".repeat(128);
    expect((await api.browse(stream, { key, limit: 1_000 })).body.events).toHaveLength(1);
    await refusal(api.browse(stream, { key: `${key}k` }), "invalid-request");
    await refusal(api.browse(stream, { type: "t".repeat(257) }), "invalid-request");
  });
}

/**
 * Returns an event of exactly this size by the measure of the cap: data text and attributes as
 * JSON.
 */
function eventOf(bytes: number, attributes: Omit<NewEvent, "data">, filler = "x"): NewEvent {
  const rest = bytes - Buffer.byteLength(JSON.stringify(attributes)) - '""'.length;
  const width = Buffer.byteLength(filler);
  return { ...attributes, data: filler.repeat(rest / width) + "x".repeat(rest % width) };
}

function sizes(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
  });

  const facts = (problem: Problem) => problem as Problem & Record<string, unknown>;

  it.each([
    ["ASCII", { key: "k" }, "x"],
    ["three-byte characters", { key: "k" }, "€"],
    ["every attribute", { key: "é", type: "t", id: "i", headers: { h: "é\n" } }, "x"],
  ])(
    "[publish.limits] an event of 256 KiB of %s is accepted, and no more",
    async (_, attrs, filler) => {
      const event = eventOf(256 * KIB, attrs, filler);
      const { body } = await api.publish(stream, event);
      const page = await api.browse(stream, { from: body.events[0]?.sequence });
      expect(page.body.events[0]?.data === event.data).toBe(true);

      const over = eventOf(256 * KIB + 1, attrs, filler);
      const problem = facts(await refusal(api.publish(stream, over), "event-too-large"));
      expect(problem.eventBytesMax).toBe(256 * KIB);
      expect(problem.errors?.[0]?.pointer).toBe("");
      const second = api.publish(stream, [event, over]);
      const { errors } = await refusal(second, "event-too-large");
      expect(errors?.[0]?.pointer).toBe("/events/1");
      expect((await api.browse(stream, { from: body.cursor })).body.events).toEqual([]);
    },
  );

  it("[publish.limits] 1,000 events are accepted in every format, and no more", async () => {
    const events = Array.from({ length: 1_000 }, (_, n) => ({ key: `k${n % 10}`, data: n }));
    const { body } = await api.publish(stream, events);
    expect(body.events).toHaveLength(1_000);
    const cloudEvents = (count: number) =>
      JSON.stringify(
        Array.from({ length: count }, (_, n) => ({
          specversion: "1.0",
          id: `${n}`,
          source: "/s",
          type: "t",
          subject: "k",
          data: n,
        })),
      );
    const lines = (count: number) => '{"key":"k","data":1}\n'.repeat(count);
    const batch = "application/cloudevents-batch+json";
    await api.publish(stream, lines(1_000), { contentType: "application/x-ndjson" });
    await api.publish(stream, cloudEvents(1_000), { contentType: batch });
    const { eventCount } = await api.getStream(stream);

    for (const over of [
      () => api.publish(stream, [...events, { key: "k", data: 1 }]),
      () => api.publish(stream, lines(1_001), { contentType: "application/x-ndjson" }),
      () => api.publish(stream, cloudEvents(1_001), { contentType: batch }),
    ]) {
      const problem = facts(await refusal(over(), "too-many-events"));
      expect(problem.requestEventsMax).toBe(1_000);
    }
    expect(await api.getStream(stream)).toMatchObject({ eventCount });
  });

  it("[publish.limits] a request of 4 MiB is accepted, and no more", async () => {
    const event = '{"key":"k","data":1}';
    const { body } = await api.publish(stream, event.padEnd(4 * MIB, " "));
    const over = api.publish(stream, event.padEnd(4 * MIB + 1, " "));
    const problem = facts(await refusal(over, "request-too-large"));
    expect(problem.requestBytesMax).toBe(4 * MIB);
    await refusal(api.publish(stream, event.padEnd(9 * MIB, " ")), "request-too-large");
    expect((await api.browse(stream, { from: body.cursor })).body.events).toEqual([]);
  });

  it("[error.problem] a large request whose body was not read is answered, and so is the next", async () => {
    const body = '{"key":"k","data":1}'.padEnd(3 * MIB, " ");
    for (const headers of [
      { "content-type": "text/plain" },
      { "content-type": "application/json", "idempotency-key": "a b" },
      { "content-type": "application/json", authorization: "Bearer wrong" },
      { "content-type": "application/json", "content-encoding": "gzip" },
    ]) {
      const path = `${at(stream)}/events`;
      const refused = await api.send({ method: "POST", path, headers, body });
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect((await api.publish(stream, body)).status).toBe(201);
    }
  });

  it("[publish.limits] every other request has its cap as well", async () => {
    const { answer } = await api
      .patchStream(stream, { description: "d".repeat(4 * MIB) })
      .catch((error) => error);
    expect(answer).toMatchObject({ status: 413, body: { code: "request-too-large" } });
  });
}

/** Returns random printable ASCII that JSON does not escape. It hardly compresses. */
const noise = (chars: number): string =>
  randomBytes(chars)
    .map((byte) => ALPHABET[byte % ALPHABET.length] ?? 0)
    .toString();

const ALPHABET = Array.from({ length: 94 }, (_, n) => n + 33).filter(
  (code) => code !== 0x22 && code !== 0x5c,
);

function large(api: Client): void {
  it.each<[number, number, Publishing, typeof fill]>([
    [1, 17, {}, fill],
    [1, 1_000, { idempotencyKey: "large" }, fill],
    [4, 100, {}, fill],
    [64, 200, { idempotencyKey: "large" }, fill],
    [64, 1_000, { idempotencyKey: "skewed" }, fillSkewed],
  ])(
    "[publish.atomic] are committed whole to %i partitions: 4 MiB in %i events",
    async (partitions, count, options, fillWith) => {
      const body = fillWith(4 * MIB, count);
      const stream = await api.newStream({ partitions });
      expect(Buffer.byteLength(body)).toBe(4 * MIB);
      const sent = JSON.parse(body).events as NewEvent[];
      const receipt = await api.publish(stream, body, options);
      expect(receipt.status).toBe(201);
      expect(receipt.body.events).toHaveLength(count);

      const events = await api.readAll(stream);
      const byId = new Map(events.map((event) => [event.id, event]));
      expect(events).toHaveLength(count);
      for (const [index, { id, sequence }] of receipt.body.events.entries()) {
        const event = byId.get(id);
        expect(event).toMatchObject({ sequence, key: sent[index]?.key });
        expect(event?.data === sent[index]?.data).toBe(true);
      }
      if (options.idempotencyKey !== undefined) {
        const replay = await api.publish(stream, body, options);
        expect(replay.status).toBe(200);
        expect(replay.body.events).toEqual(receipt.body.events);
      }
    },
  );
}

/** Returns a request of exactly this many bytes and events, all of it noise. */
function fill(bytes: number, count: number): string {
  const room = Math.floor(bytes / count) - 40;
  const events = Array.from({ length: count }, (_, n) => ({ key: `key-${n}`, data: noise(room) }));
  return JSON.stringify({ events }).padEnd(bytes, " ");
}

/**
 * Returns such a request in which a few keys have two large events and many small ones, and all
 * other keys have small ones.
 */
function fillSkewed(bytes: number, count: number): string {
  const hot = Array.from({ length: 6 }, (_, n) => `hot-${n}`);
  const large = hot.flatMap((key) => [noise(250 * KIB), noise(250 * KIB)].map(as(key)));
  const small = hot.flatMap((key) => Array.from({ length: 140 }, (_, n) => as(key)(n)));
  const cold = Array.from({ length: count - large.length - small.length }, (_, n) => n);
  const events = [...large, ...small, ...cold.map((n) => as(`cold-${n}`)(n))];
  return JSON.stringify({ events }).padEnd(bytes, " ");
}

const as = (key: string) => (data: unknown) => ({ key, data });

function pages(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    const events = Array.from({ length: 1_000 }, (_, n) => ({ key: "k", data: n }));
    await api.publish(stream, events);
    await api.publish(stream, { key: "k", data: "last" });
  });

  it("[poll.bounded] a limit of 1 to 1,000 events is accepted", async () => {
    for (const [limit, expected] of [
      [undefined, LIMITS.pageEventsDefault],
      [1, 1],
      [999, 999],
      [1_000, 1_000],
    ] as const) {
      expect((await api.browse(stream, { limit })).body.events).toHaveLength(expected);
      expect((await api.poll(stream, "s", { limit })).body.events).toHaveLength(expected);
    }
    for (const limit of [0, 1_001, -1, 1.5]) {
      await refusal(api.browse(stream, { limit }), "invalid-request");
      await refusal(api.poll(stream, "s", { limit }), "invalid-request");
    }
  });

  it("[poll.bounded] a page stays within 5 MiB, and the next one continues after it", async () => {
    const wide = await api.newStream();
    await api.createSubscription(wide, { name: "s" });
    const event = eventOf(250 * KIB, { key: "k" }, "€");
    for (let n = 0; n < 2; n++)
      await api.publish(
        wide,
        Array.from({ length: 16 }, () => event),
      );
    const sequences: number[] = [];
    for (let after: string | undefined, caughtUp = false; !caughtUp; ) {
      const { body, text } = await api.poll(wide, "s", { limit: 1_000, after });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMITS.pageBytesMax);
      sequences.push(...body.events.map(({ sequence }) => sequence));
      ({ cursor: after, caughtUp } = body);
    }
    expect(sequences).toEqual(Array.from({ length: 32 }, (_, n) => n + 1));
  });
}
