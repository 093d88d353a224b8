import type { LedgerEvent, Problem } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests the forms of places, and the refusal of values that are not places. */
export function placesContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("a place on a stream of %i partitions", (partitions) =>
    places(api, partitions),
  );
  describe("committing by sequence", () => commits(api));
  describe("an empty body", () => emptyBodies(api));
}

const HOUR_MS = 3_600_000;
const EVENTS = 6;

const pointersOf = (problem: Problem) => problem.errors?.map(({ pointer }) => pointer);
const dataOf = (events: readonly LedgerEvent[]) => events.map(({ data }) => data as number);

function places(api: Client, partitions: number): void {
  let stream: string;
  let all: LedgerEvent[];
  let subscriptions = 0;

  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    for (let n = 1; n <= EVENTS; n++) await api.publish(stream, { key: `k${n}`, data: n });
    all = await api.readAll(stream);
  });

  const post = (path: string, json: unknown) =>
    api.send({
      method: "POST",
      path: `/streams/${stream}/subscriptions${path}`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
    });
  const start = async (place: unknown) => {
    const name = `s${++subscriptions}`;
    const { status, body } = await post("", { name, start: place });
    return { name, status, body: body as { start?: unknown } };
  };
  const received = async (name: string) =>
    dataOf((await api.poll(stream, name)).body.events).sort();
  const seek = async (name: string, to: unknown) => post(`/${name}/seek`, { to });

  it("[place.grammar] a time may be bare or {timestamp}, and is stored in one form", async () => {
    const [timestamp = ""] = all.map(({ publishedAt }) => publishedAt).sort();
    const bare = await start(timestamp);
    expect(bare).toMatchObject({ status: 201, body: { start: { timestamp } } });
    const again = await post("", { name: bare.name, start: { timestamp } });
    expect(again).toMatchObject({ status: 200, body: { start: { timestamp } } });
    expect(await received(bare.name)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const to of [timestamp, { timestamp }]) {
      await seek(bare.name, "latest");
      expect(await received(bare.name)).toEqual([]);
      expect((await seek(bare.name, to)).status).toBe(200);
      expect(await received(bare.name)).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  it("[place.grammar] a cursor is a place, as is everything that it covers", async () => {
    const { cursor } = (await api.browse(stream, { limit: 3 })).body;
    const { name, status } = await start({ cursor });
    expect(status).toBe(201);
    expect(await received(name)).toHaveLength(3);
    expect((await seek(name, "earliest")).status).toBe(200);
    expect((await seek(name, { cursor })).status).toBe(200);
    expect(await received(name)).toHaveLength(3);
  });

  it("[place.grammar] a sequence is a place on a stream with one partition", async () => {
    const { name, status, body } = await start({ sequence: 4 });
    const sought = await seek("s1", { sequence: 4 });
    if (partitions > 1) {
      expect([status, sought.status]).toEqual([400, 400]);
      expect(pointersOf(body as Problem)).toEqual(["/start"]);
      expect(pointersOf(sought.body as Problem)).toEqual(["/to"]);
      return;
    }
    expect(status).toBe(201);
    expect(await received(name)).toEqual([4, 5, 6]);
    expect((await post("", { name, start: { sequence: 4 } })).status).toBe(200);
    await seek(name, { sequence: 6 });
    expect(await received(name)).toEqual([6]);
    await seek(name, { sequence: EVENTS + 1 });
    expect(await received(name)).toEqual([]);
  });

  it.each([8, 1_000, Date.now(), 1e15, Number.MAX_SAFE_INTEGER])(
    "[place.beyond] the sequence %d is refused, because no next event gets it",
    async (sequence) => {
      const from = await refusal(api.browse(stream, { from: sequence }), "invalid-request");
      expect(pointersOf(from)).toEqual(["/query/from"]);
      const until = await refusal(api.browse(stream, { until: sequence }), "invalid-request");
      expect(pointersOf(until)).toEqual(["/query/until"]);
      const last = api.browse(stream, { last: 2, until: sequence });
      expect(pointersOf(await refusal(last, "invalid-request"))).toEqual(["/query/until"]);
      const started = await start({ sequence });
      expect(started.status).toBe(400);
      expect(pointersOf(started.body as Problem)).toEqual(["/start"]);
      const sought = await seek("s1", { sequence });
      expect(sought.status).toBe(400);
      expect(pointersOf(sought.body as Problem)).toEqual(["/to"]);
    },
  );

  it.each(["9007199254740993", "1".repeat(24), "9".repeat(400)])(
    "[place.beyond] the number %s is refused",
    async (from) => {
      const problem = await refusal(api.browse(stream, { from }), "invalid-request");
      expect(pointersOf(problem)).toEqual(["/query/from"]);
    },
  );

  it.each([2 * 60_000, HOUR_MS, 1_000_000 * HOUR_MS])(
    "[place.future] a start %d ms ahead is refused, or delivers nothing that came before it",
    async (ahead) => {
      const timestamp = new Date(Date.now() + ahead).toISOString();
      const from = await refusal(api.browse(stream, { from: timestamp }), "invalid-request");
      expect(pointersOf(from)).toEqual(["/query/from"]);
      for (const place of [timestamp, { timestamp }]) {
        const started = await start(place);
        expect(started.status).toBe(400);
        expect(pointersOf(started.body as Problem)).toEqual(["/start"]);
        const sought = await seek("s1", place);
        expect(sought.status).toBe(400);
        expect(pointersOf(sought.body as Problem)).toEqual(["/to"]);
      }
    },
  );

  it("[place.future] a time that is ahead by less than clocks differ counts as now", async () => {
    const timestamp = new Date(Date.now() + 20_000).toISOString();
    const { status, name } = await start(timestamp);
    expect(status).toBe(201);
    expect(await received(name)).toEqual([]);
    expect((await api.browse(stream, { from: timestamp })).body.events).toEqual([]);
  });

  it.each([
    "now",
    "",
    "2026-01-01",
    { timestamp: "yesterday" },
    { sequence: 0 },
    { sequence: 1.5 },
    { sequence: "1" },
    { timestamp: "2026-01-01T00:00:00Z", sequence: 1 },
    {},
    null,
    7,
  ])("[place.grammar] refuses %j with its pointer", async (place) => {
    const started = await start(place);
    expect(started.status).toBe(400);
    expect((started.body as Problem).errors?.[0]?.pointer).toMatch(/^\/start/);
    const sought = await seek("s1", place);
    expect(sought.status).toBe(400);
    expect((sought.body as Problem).errors?.[0]?.pointer).toMatch(/^\/to/);
  });
}

function commits(api: Client): void {
  const commit = (stream: string, json: unknown, path = "commit") =>
    api.send({
      method: "POST",
      path: `/streams/${stream}/subscriptions/s/${path}`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
    });
  const made = async (partitions: number, config: object = {}) => {
    const stream = await api.newStream({ partitions });
    await api.publish(
      stream,
      [1, 2, 3, 4, 5, 6].map((n) => ({ key: `k${n}`, data: n })),
    );
    await api.createSubscription(stream, { name: "s", ...config });
    return stream;
  };
  const received = async (stream: string) => dataOf((await api.poll(stream, "s")).body.events);

  it("[sub.commit-sequence] a commit by sequence moves the position past an event, and never back", async () => {
    const stream = await made(1);
    expect(await commit(stream, { sequence: 2 })).toMatchObject({
      status: 200,
      body: { stale: false, lag: { events: 4 } },
    });
    expect(await received(stream)).toEqual([3, 4, 5, 6]);
    expect((await commit(stream, { sequence: 1 })).body).toMatchObject({ stale: true });
    const polled = await commit(stream, { commit: { sequence: 4 } }, "poll");
    expect(dataOf((polled.body as { events: LedgerEvent[] }).events)).toEqual([5, 6]);
    expect((await commit(stream, { sequence: 6 })).body).toMatchObject({ lag: { events: 0 } });
  });

  it("[sub.commit-sequence] a sequence beyond the end or that is no place is refused, and nothing moves", async () => {
    const stream = await made(1);
    for (const sequence of [7, Date.now(), Number.MAX_SAFE_INTEGER]) {
      const answer = await commit(stream, { sequence });
      expect(pointersOf(answer.body as Problem), `${sequence}`).toEqual(["/sequence"]);
      const polled = await commit(stream, { commit: { sequence } }, "poll");
      expect(pointersOf(polled.body as Problem)).toEqual(["/commit/sequence"]);
    }
    for (const body of [
      { sequence: 0 },
      { sequence: "1" },
      { sequence: 1, cursor: "A".repeat(30) },
    ]) {
      expect((await commit(stream, body)).status).toBe(400);
    }
    expect(await received(stream)).toHaveLength(6);
    const wide = await made(4);
    expect(pointersOf((await commit(wide, { sequence: 1 })).body as Problem)).toEqual([
      "/sequence",
    ]);
  });

  it("[sub.commit-sequence] a commit by sequence is refused in a snapshot, and where keys were parked", async () => {
    const snapshot = await made(1, { start: "bootstrap" });
    expect((await commit(snapshot, { sequence: 1 })).status).toBe(400);
    const stream = await made(1);
    await api.park(stream, "s", { sequence: 2 });
    expect(pointersOf((await commit(stream, { sequence: 3 })).body as Problem)).toEqual([
      "/sequence",
    ]);
  });
}

function emptyBodies(api: Client): void {
  const send = (stream: string, path: string, headers = {}) =>
    api.send({
      method: "POST",
      path: `/streams/${stream}/subscriptions/s/${path}`,
      headers,
      body: "",
    });

  it.each([
    ["without a type", {}],
    ["as JSON", { "content-type": "application/json" }],
    ["as a form", { "content-type": "application/x-www-form-urlencoded" }],
  ])("[http.empty-body] an empty body counts as {} %s", async (_, headers) => {
    const stream = await api.newStream();
    await api.publish(stream, { key: "k", data: 1 });
    await api.createSubscription(stream, { name: "s" });
    const polled = await send(stream, "poll", headers);
    expect(polled.status).toBe(200);
    expect(dataOf((polled.body as { events: LedgerEvent[] }).events)).toEqual([1]);
    for (const [path, pointer] of [
      ["commit", "/cursor"],
      ["seek", "/to"],
      ["leave", "/consumer"],
      ["park", "/sequence"],
    ] as const) {
      const answer = await send(stream, path, headers);
      expect(answer.status, path).toBe(400);
      expect(answer.body).toMatchObject({ code: "invalid-request", errors: [{ pointer }] });
    }
  });
}
