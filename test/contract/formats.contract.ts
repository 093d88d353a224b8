import type { LedgerEvent } from "@eventledger/protocol";
import { CloudEvent, HTTP } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient, search } from "./client.ts";
import { KEPT, MALFORMED, REFUSED } from "./fidelity-rows.ts";
import { type Answer, refusal, type Target } from "./wire.ts";

const JSON_TYPE = "application/json";
const NDJSON = "application/x-ndjson";
const STRUCTURED = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";

/** This size is not a multiple of the size of a character. */
const PIECE = 64_000;

/** Tests every format of publishing and reading, and that data comes back byte for byte. */
export function formatsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("a publish in native JSON and NDJSON", () => native(api));
  describe("the CloudEvents SDK", () => cloudEvents(api));
  describe("data", () => fidelity(api));
}

const last = async (api: Client, stream: string): Promise<LedgerEvent> =>
  (await api.readAll(stream)).at(-1) ?? expect.fail("the stream is empty");

function native(api: Client): void {
  it("[publish.formats] NDJSON lines are published in order, and blank ones are skipped", async () => {
    const stream = await api.newStream();
    const lines =
      '\n{"key":"a","data":1}\r\n\n  {"key":"b", "data": {"x" : 1} }  \n{"key":"a","data":null}';
    const { body } = await api.publish(stream, lines, { contentType: NDJSON });
    expect(body.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    const events = await api.readAll(stream);
    expect(events.map(({ key, data }) => [key, data])).toEqual([
      ["a", 1],
      ["b", { x: 1 }],
      ["a", null],
    ]);
  });

  it("[publish.formats] a refusal of NDJSON names the line and the place", async () => {
    const stream = await api.newStream();
    const lines = '{"key":"a","data":1}\n\n{"key":"","data":1}\n';
    const publishing = api.publish(stream, lines, { contentType: NDJSON });
    const { errors } = await refusal(publishing, "invalid-request");
    expect(errors).toEqual([{ pointer: "/1/key", detail: expect.stringContaining("line 3") }]);
    const broken = api.publish(stream, '{"key":"a","data":1}\n{"key"\n', { contentType: NDJSON });
    expect((await refusal(broken, "malformed-json")).detail).toContain("Line 2");
    expect(await api.readAll(stream)).toEqual([]);
  });

  it("[publish.formats] NDJSON may come in pieces of any length, and the first invalid line is refused", async () => {
    const stream = await api.newStream();
    const send = (...texts: string[]) => {
      const bytes = Buffer.from(texts.join(""));
      const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, n) =>
        bytes.subarray(n * PIECE, (n + 1) * PIECE),
      );
      const headers = { "content-type": NDJSON };
      return api.send({ method: "POST", path: `${at(stream)}/events`, headers, body: pieces });
    };
    const line = `{"key":"k","data":"${"€".repeat(PIECE)}"}\n`;
    const room = 4 * 2 ** 20 - line.length - "€".repeat(PIECE).length * 2;
    const filler = `${" ".repeat(1_023)}\n`.repeat(room / 1_024);
    expect(await send(line, filler)).toMatchObject({ status: 201 });
    expect(await send('{"key":""}\n', filler)).toMatchObject({
      status: 400,
      body: { code: "invalid-request", errors: [{ pointer: "/0/key" }, { pointer: "/0/data" }] },
    });
    const tooLarge = { status: 413, body: { code: "request-too-large" } };
    expect(await send(line, filler, line, line)).toMatchObject(tooLarge);
    expect(await send(line)).toMatchObject({ status: 201 });
    expect(await api.readAll(stream)).toHaveLength(2);
  });

  it.each([
    "application/json; charset=utf-8",
    'APPLICATION/JSON ; charset="UTF-8"',
    "application/json;charset=utf8",
  ])("[publish.formats] the media type %s is understood", async (contentType) => {
    const stream = await api.newStream();
    const { status } = await api.publish(stream, { key: "k", data: 1 }, { contentType });
    expect(status).toBe(201);
    const created = await api.send({
      method: "POST",
      path: `${at(stream)}/subscriptions`,
      headers: { "content-type": contentType },
      body: '{"name":"s"}',
    });
    expect(created.status, created.text).toBe(201);
  });
}

const context = {
  id: "e-1",
  source: "https://shop.example/orders",
  type: "order.placed",
  subject: "a subject",
  time: "2026-01-02T03:04:05.678Z",
  dataschema: "https://shop.example/schema#1",
  datacontenttype: JSON_TYPE,
  partitionkey: "órder-1",
  traceparent: "00-1-2-01",
  retries: 3,
  urgent: true,
};

function cloudEvents(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
  });

  const post = (headers: Record<string, unknown>, body: unknown) =>
    api.send({
      method: "POST",
      path: `${at(stream)}/events`,
      headers: headers as Record<string, string>,
      body: body as string | Uint8Array,
    });

  /** Returns what a native reader receives for an event with `context`. */
  const expected = (data: unknown) => ({
    id: "e-1",
    type: "order.placed",
    time: "2026-01-02T03:04:05.678Z",
    key: "órder-1",
    data,
    headers: expect.objectContaining({
      "ce-source": "https://shop.example/orders",
      "ce-subject": "a subject",
      "ce-traceparent": "00-1-2-01",
    }),
  });

  it("[publish.formats] the SDK sends structured events", async () => {
    const { headers, body } = HTTP.structured(new CloudEvent({ ...context, data: { n: 1 } }));
    const { status, text } = await post(headers, body);
    expect(status, text).toBe(201);
    expect(await last(api, stream)).toMatchObject(expected({ n: 1 }));
  });

  it("[publish.formats] the SDK sends binary events: JSON, text and bytes", async () => {
    const bytes = Uint8Array.of(0, 1, 254, 255);
    for (const [data, datacontenttype, read] of [
      [{ n: "é" }, JSON_TYPE, { n: "é" }],
      ["plain é", "text/plain; charset=utf-8", "plain é"],
      [bytes, "application/octet-stream", Buffer.from(bytes).toString("base64")],
    ] as const) {
      // The SDK writes header values unencoded, which HTTP allows only for ASCII.
      const event = new CloudEvent({ ...context, partitionkey: "k", datacontenttype, data });
      const { headers, body } = HTTP.binary(event as CloudEvent<unknown>);
      const { status, text } = await post(headers, body);
      expect(status, text).toBe(201);
      expect(await last(api, stream)).toMatchObject({ ...expected(read), key: "k" });
    }
  });

  it("[publish.formats] the SDK sends batches, including empty ones", async () => {
    const before = (await api.browse(stream, { from: "latest" })).body.cursor;
    const events = [1, 2, 3].map((n) => new CloudEvent({ ...context, id: `e-${n}`, data: n }));
    const answer = await post({ "content-type": BATCH }, JSON.stringify(events));
    expect(answer.status, answer.text).toBe(201);
    expect((await api.readAll(stream, before)).map(({ id, data }) => [id, data])).toEqual([
      ["e-1", 1],
      ["e-2", 2],
      ["e-3", 3],
    ]);
    const empty = await api.publish(stream, "[]", { contentType: BATCH });
    expect(empty.status).toBe(200);
    expect(empty.body.events).toEqual([]);
    expect(await api.readAll(stream, empty.body.cursor)).toEqual([]);
  });

  it("[data.cloudevents] the key comes from partitionkey, or else from subject, or the event is refused", async () => {
    const { partitionkey: _, ...unkeyed } = context;
    await post({ "content-type": STRUCTURED }, new CloudEvent({ ...unkeyed, data: 1 }).toString());
    expect((await last(api, stream)).key).toBe("a subject");
    const { subject: __, ...bare } = unkeyed;
    const body = JSON.stringify(new CloudEvent({ ...bare, data: 1 }));
    const refused = api.publish(stream, body, { contentType: STRUCTURED });
    expect((await refusal(refused, "invalid-request")).errors).toMatchObject([
      { pointer: "/partitionkey" },
    ]);
    const tombstone = JSON.stringify({ specversion: "1.0", ...bare, partitionkey: "gone" });
    await api.publish(stream, tombstone, { contentType: STRUCTURED });
    expect(await last(api, stream)).toMatchObject({ key: "gone", data: null });
  });

  it("[data.cloudevents] missing data is returned as missing, and null as null", async () => {
    const own = await api.newStream();
    const attributes = { specversion: "1.0", id: "1", source: "/s", type: "t" };
    const bodies = [
      [STRUCTURED, JSON.stringify({ ...attributes, subject: "none" })],
      [STRUCTURED, JSON.stringify({ ...attributes, subject: "null", data: null })],
      [BATCH, JSON.stringify([{ ...attributes, subject: "none", comexample: "x" }])],
      [BATCH, JSON.stringify([{ ...attributes, subject: "null", data: null }])],
    ] as const;
    for (const [contentType, body] of bodies) await api.publish(own, body, { contentType });
    const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
    for (const [subject, body] of [
      ["none", ""],
      ["null", "null"],
    ] as const) {
      const headers = { ...binary, "ce-subject": subject, "content-type": "application/json" };
      const path = `${at(own)}/events`;
      const answer = await api.send({ method: "POST", path, headers, body });
      expect(answer.status, answer.text).toBe(201);
    }
    const isNull = [false, true, false, true, false, true];
    const path = `${at(own)}/events`;
    const page = await api.send({ path, headers: { accept: BATCH } });
    const events = page.body as { data?: unknown }[];
    expect(events.map(({ data }) => data)).toEqual(isNull.map((is) => (is ? null : undefined)));
    // A native reader recognises a tombstone by its null. The mark distinguishes the two kinds of
    // tombstone for it.
    const native = await api.readAll(own);
    expect(native.map(({ data }) => data)).toEqual(isNull.map(() => null));
    const marked = native.map(({ headers }) => headers?.["ce-data_absent"] !== "true");
    expect(marked).toEqual(isNull);
    await api.compact(own);
    expect((await api.listCompacted(own)).items).toEqual([]);
  });

  const batchOf = ({ header, body }: Answer): CloudEvent<unknown>[] => {
    expect(header("content-type")).toBe(BATCH);
    expect(header("vary")).toContain("Accept");
    const headers = { "content-type": header("content-type") };
    return HTTP.toEvent({ headers, body: JSON.stringify(body) }) as CloudEvent<unknown>[];
  };

  it("[data.cloudevents] browse and poll return what the SDK sent", async () => {
    const own = await api.newStream();
    await api.createSubscription(own, { name: "s" });
    const sent = new CloudEvent({ ...context, data: { n: [1, null] } });
    await api.publish(own, JSON.stringify(sent), { contentType: STRUCTURED });
    await api.publish(own, { key: "n", data: 7, headers: { tenant: "t", "x-y": "z" } });
    for (const path of [`${at(own)}/events`, `${at(own, "s")}/poll`]) {
      const answer = await api.send({ path, headers: { accept: BATCH } });
      const [first, second] = batchOf(answer);
      const sequence = "0000000000000001";
      expect(first?.toJSON()).toEqual({ ...sent.toJSON(), sequence });
      expect(second).toMatchObject({
        source: `/streams/${own}`,
        type: "eventledger.event",
        partitionkey: "n",
        tenant: "t",
        data: 7,
        sequence: "0000000000000002",
      });
      expect(Date.parse(second?.time ?? "")).toBeGreaterThan(0);
    }
  });

  it("[data.cloudevents] the other members of a page are in headers, and continue the page", async () => {
    const own = await api.newStream();
    await api.createSubscription(own, { name: "s" });
    await api.publish(
      own,
      [1, 2, 3].map((data) => ({ key: "k", data })),
    );
    const accept = { accept: BATCH };
    const page = await api.send({ path: `${at(own)}/events?limit=2`, headers: accept });
    expect(page.header("eventledger-caught-up")).toBe("false");
    const from = page.header("eventledger-cursor");
    const rest = await api.send({ path: `${at(own)}/events${search({ from })}`, headers: accept });
    expect(rest.header("eventledger-caught-up")).toBe("true");
    expect([...batchOf(page), ...batchOf(rest)].map(({ data }) => data)).toEqual([1, 2, 3]);

    const poll = await api.send({ path: `${at(own, "s")}/poll?limit=2`, headers: accept });
    expect(JSON.parse(poll.header("eventledger-lag"))).toMatchObject({ events: 1 });
    expect(poll.header("eventledger-phase")).toBe("log");
    expect(poll.header("eventledger-consistent")).toBe("true");
    expect(Number(poll.header("eventledger-next-poll-ms"))).toBeGreaterThanOrEqual(0);
    const committed = await api.commit(own, "s", poll.header("eventledger-cursor"));
    expect(committed.body).toMatchObject({ stale: false, lag: { events: 1 } });
  });

  it.each([
    ["application/json", JSON_TYPE],
    ["*/*", JSON_TYPE],
    ["text/html", JSON_TYPE],
    [`${BATCH};q=0.1, application/json`, JSON_TYPE],
    [`application/json;q=0.5, ${BATCH}`, BATCH],
  ])("[data.cloudevents] wanting %s gets %s", async (accept, contentType) => {
    const answer = await api.send({ path: `${at(stream)}/events?limit=1`, headers: { accept } });
    expect(answer.header("content-type")).toBe(contentType);
  });
}

function fidelity(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
  });

  const ce = '"specversion":"1.0","id":"1","source":"/","type":"t","subject":"k"';
  const spellings = (data: string): [string, string, Record<string, string>][] => [
    [JSON_TYPE, `{"key":"k","data": ${data} }`, {}],
    [JSON_TYPE, `{"events":[{"data":${data}\n,"key":"k"}]}`, {}],
    [NDJSON, `{"key":"k","data":${data}}\n`, {}],
    [STRUCTURED, `{${ce},"data":${data}}`, {}],
    [BATCH, `[{${ce},"data" : ${data}}]`, {}],
    [
      JSON_TYPE,
      ` ${data}\n`,
      {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/",
        "ce-type": "t",
        "ce-subject": "k",
      },
    ],
  ];

  it.each(KEPT)("[data.fidelity] %s is kept in every format, in and out", async (_, data) => {
    const bodies = spellings(data);
    let from = "latest";
    for (const [contentType, body, headers] of bodies) {
      if (from === "latest") from = (await api.browse(stream, { from })).body.cursor;
      const answer = await api.send({
        method: "POST",
        path: `${at(stream)}/events`,
        body,
        headers: { "content-type": contentType, ...headers },
      });
      expect(answer.status, answer.text).toBe(201);
    }
    const path = `${at(stream)}/events${search({ from })}`;
    const printed = `"data":${data}}`;
    for (const accept of [JSON_TYPE, BATCH]) {
      const { text } = await api.send({ path, headers: { accept } });
      expect(text.split(printed)).toHaveLength(bodies.length + 1);
    }
    const polled = await api.poll(stream, "s");
    expect(polled.text.split(printed)).toHaveLength(bodies.length + 1);
    await api.commit(stream, "s", polled.body.cursor);
  });

  it.each(REFUSED)("[data.refused] %s is refused in every format", async (_, data) => {
    const before = await api.getStream(stream);
    for (const [contentType, body, headers] of spellings(data)) {
      const answer = await api.send({
        method: "POST",
        path: `${at(stream)}/events`,
        body,
        headers: { "content-type": contentType, ...headers },
      });
      expect(answer).toMatchObject({ status: 422, body: { code: "unsupported-data" } });
      const isBinary = "ce-id" in headers;
      const pointer = expect.stringMatching(isBinary ? /^$/ : /^(\/events)?(\/0)?\/data$/);
      expect(answer.body).toMatchObject({ errors: [{ pointer }] });
    }
    expect(await api.getStream(stream)).toMatchObject({ eventCount: before.eventCount });
  });

  it.each(MALFORMED)("[data.refused] %s is refused", async (_, body) => {
    for (const contentType of [JSON_TYPE, NDJSON]) {
      await refusal(api.publish(stream, body, { contentType }), "malformed-json");
    }
  });

  it("[data.refused] bytes that are not UTF-8 are refused wherever a body is JSON", async () => {
    const body = Buffer.concat([Buffer.from('{"name":"s2'), Buffer.of(0xff), Buffer.from('"}')]);
    const path = `${at(stream)}/subscriptions`;
    const headers = { "content-type": JSON_TYPE };
    const answer = await api.send({ method: "POST", path, headers, body });
    expect(answer).toMatchObject({ status: 400, body: { code: "malformed-json" } });
    const marked = Buffer.from('\ufeff{"name":"s3"}');
    const withMark = await api.send({ method: "POST", path, headers, body: marked });
    expect(withMark).toMatchObject({ status: 400, body: { code: "malformed-json" } });
  });

  it("[data.fidelity] keys are compared by their bytes, and every attribute is kept", async () => {
    const own = await api.newStream({ partitions: 8 });
    const keys = [
      "\u00e9",
      "e\u0301",
      "\u212b",
      "\u00c5",
      "k",
      "K",
      "k ",
      " k",
      "\u0000",
      "😀",
      "ﬁ",
      "fi",
    ];
    const text = "\u0000\t\n\u2028😀e\u0301";
    await api.publish(
      own,
      keys.map((key, n) => ({ key, type: text, id: `${text}${n}`, headers: { h: text }, data: n })),
    );
    const events = await api.readAll(own);
    expect(new Map(events.map(({ key, data }) => [key, data]))).toEqual(
      new Map(keys.map((key, n) => [key, n])),
    );
    for (const [n, key] of keys.entries()) {
      const { events: found } = (await api.browse(own, { key })).body;
      expect(found).toMatchObject([
        { data: n, type: text, id: `${text}${n}`, headers: { h: text } },
      ]);
    }
  });
}
