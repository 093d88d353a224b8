import { LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/**
 * Tests publishing with an Idempotency-Key: the events are published once, however often and
 * however concurrently the request is sent.
 */
export function idempotencyContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("an Idempotency-Key on a stream of %i partitions", (partitions) => {
    once(api, partitions);
  });
  describe("the form of an Idempotency-Key", () => form(api));
}

const three = [1, 2, 3].map((n) => ({ key: `key-${n}`, type: "t", data: n }));

function once(api: Client, partitions: number): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream({ partitions });
  });

  const countNow = async () => (await api.readAll(stream)).length;

  it("[publish.idempotent] the first request answers 201, repeats 200 with the same receipt, and one write happens", async () => {
    const options = { idempotencyKey: "replay" };
    const first = await api.publish(stream, three, options);
    expect(first.status).toBe(201);
    const later = await api.publish(stream, { key: "key-1", data: "later" });
    for (let n = 0; n < 3; n++) {
      const replay = await api.publish(stream, three, options);
      expect(replay.status).toBe(200);
      expect(replay.body.events).toEqual(first.body.events);
      const following = await api.readAll(stream, replay.body.cursor);
      expect(following.map(({ id }) => id)).toEqual(later.body.events.map(({ id }) => id));
    }
    expect(await countNow()).toBe(4);
  });

  it("[publish.idempotent] 20 simultaneous requests have one effect and one receipt", async () => {
    const before = await countNow();
    const sending = Array.from({ length: 20 }, () =>
      api.publish(stream, three, { idempotencyKey: "race" }),
    );
    const answers = await Promise.all(sending);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body.events))).size).toBe(1);
    expect(await countNow()).toBe(before + 3);
  });

  it("[publish.idempotent] one of several simultaneous different requests wins", async () => {
    const before = await countNow();
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        api.publish(stream, { key: `k${n}`, data: n }, { idempotencyKey: "differ" }).then(
          ({ status }) => status,
          async (error) => {
            await refusal(Promise.reject(error), "idempotency-key-reused");
            return 422;
          },
        ),
      ),
    );
    expect(outcomes.toSorted()).toEqual([201, ...Array.from({ length: 9 }, () => 422)]);
    expect(await countNow()).toBe(before + 1);
  });

  it("[publish.idempotent] a key with anything changed is refused, and nothing is written", async () => {
    const options = { idempotencyKey: "changed" };
    await api.publish(stream, three, options);
    const before = await countNow();
    const [one, two, last] = three;
    for (const changed of [
      [one, two],
      [one, last, two],
      [one, two, { ...last, data: 4 }],
      [one, two, { ...last, data: "3" }],
      [one, two, { ...last, key: "key-4" }],
      [one, two, { ...last, type: "u" }],
      [one, two, { ...last, id: "new" }],
      [one, two, { ...last, headers: { a: "b" } }],
      [one, two, { ...last, time: "2026-01-01T00:00:00Z" }],
      [one, two, last, last],
    ]) {
      const body = JSON.stringify({ events: changed });
      await refusal(api.publish(stream, body, options), "idempotency-key-reused");
    }
    expect(await countNow()).toBe(before);
    expect((await api.publish(stream, three, options)).status).toBe(200);
  });

  it("[publish.idempotent] requests are compared by their events, so other formats are replays", async () => {
    const options = { idempotencyKey: "format" };
    const event = '{"key":"k","type":"t","data":{ "a":1.0 }}';
    const first = await api.publish(stream, event, options);
    const contentType = "application/x-ndjson";
    for (const replay of [
      await api.publish(stream, `{"events":[${event}]}`, options),
      await api.publish(stream, `\n${event}\n`, { ...options, contentType }),
      await api.publish(stream, '{ "data": { "a":1.0 }, "type":"t", "key":"\\u006b" }', options),
    ]) {
      expect(replay.status).toBe(200);
      expect(replay.body.events).toEqual(first.body.events);
    }
    const respelled = event.replace("1.0", "1");
    await refusal(api.publish(stream, respelled, options), "idempotency-key-reused");

    const cloudEvent = '{"specversion":"1.0","id":"1","source":"/","type":"t","subject":"k"}';
    const ce = { idempotencyKey: "cloudevent" };
    const structured = "application/cloudevents+json";
    const single = await api.publish(stream, cloudEvent, { ...ce, contentType: structured });
    const batch = "application/cloudevents-batch+json";
    const again = await api.publish(stream, `[${cloudEvent}]`, { ...ce, contentType: batch });
    expect([single.status, again.status]).toEqual([201, 200]);
    expect(again.body.events).toEqual(single.body.events);
  });

  it("[publish.idempotent] a key is independent on another stream", async () => {
    const other = await api.newStream({ partitions });
    const options = { idempotencyKey: "shared" };
    expect((await api.publish(stream, three, options)).status).toBe(201);
    expect((await api.publish(other, { key: "k", data: "other" }, options)).status).toBe(201);
    expect(await api.readAll(other)).toHaveLength(1);
  });

  it("[stream.recreate] a key is unused in a new life of the stream", async () => {
    const name = await api.newStream({ partitions });
    const options = { idempotencyKey: "life" };
    const first = await api.publish(name, three, options);
    await api.deleteStream(name);
    await api.createStream({ name, partitions });
    const second = await api.publish(name, three, options);
    expect(second.status).toBe(201);
    expect(second.body.events.map(({ id }) => id)).not.toEqual(
      first.body.events.map(({ id }) => id),
    );
    expect(await api.readAll(name)).toHaveLength(3);
    expect((await api.publish(name, three, options)).status).toBe(200);
  });

  it("[error.nothing-written] a refused request does not use up its key", async () => {
    const options = { idempotencyKey: "refused" };
    await refusal(api.publish(stream, '{"key":"","data":1}', options), "invalid-request");
    expect((await api.publish(stream, three, options)).status).toBe(201);
  });
}

function form(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
  });

  const event = { key: "k", data: 1 };

  it("[publish.idempotent] a quoted and a bare key are the same", async () => {
    const first = await api.publish(stream, event, { idempotencyKey: '"8e03978e-40d5"' });
    const second = await api.publish(stream, event, { idempotencyKey: "8e03978e-40d5" });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body.events).toEqual(first.body.events);
  });

  it.each([
    ["one character", "!"],
    ["255 characters", "k".repeat(LIMITS.idempotencyKeyCharsMax)],
    ["255 quoted characters", `"${"q".repeat(LIMITS.idempotencyKeyCharsMax)}"`],
    [
      "all of visible ASCII",
      Array.from({ length: 94 }, (_, n) => String.fromCharCode(n + 33)).join(""),
    ],
    ["what separates row keys elsewhere", "a#b|c/d:e%00..%2f$"],
  ])("[publish.limits] is taken: %s", async (_, idempotencyKey) => {
    expect((await api.publish(stream, event, { idempotencyKey })).status).toBe(201);
    expect((await api.publish(stream, event, { idempotencyKey })).status).toBe(200);
  });

  it("[publish.idempotent] keys that differ in case or by one character are different", async () => {
    for (const idempotencyKey of ["aB", "ab", "a", "ab-", "%61b"]) {
      expect((await api.publish(stream, event, { idempotencyKey })).status).toBe(201);
    }
  });

  it.each([
    ["256 characters", "k".repeat(256)],
    ["256 quoted characters", `"${"k".repeat(256)}"`],
    ["empty", ""],
    ["empty in quotes", '""'],
    ["a space inside", "a b"],
    ["not ASCII", "\u00e9"],
  ])("[publish.limits] is refused: %s", async (_, value) => {
    const answer = await api.send({
      method: "POST",
      path: `${at(stream)}/events`,
      body: JSON.stringify(event),
      headers: { "content-type": "application/json", "idempotency-key": value },
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: "invalid-request", errors: [{ pointer: "/headers/idempotency-key" }] },
    });
  });
}
