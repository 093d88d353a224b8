import { constants, crc32, deflateRawSync, gzipSync } from "node:zlib";
import { LIMITS, PublishReceipt } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import { type Answer, parseProblem, type Target } from "./wire.ts";

/** Tests the parts of HTTP other than paths, bodies and statuses. */
export function edgesContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  describe("a body that comes as gzip", () => packed(api));
  describe("HEAD", () => heads(api));
  describe("bounds", () => bounds(api));
  it("[openapi.routes] the paths where people look for the documentation lead to it", async () => {
    for (const [path, to] of [
      ["/", "/docs"],
      ["/docs/", "/docs"],
      ["/console/", "/console"],
      ["/docs/problems/", "/docs/problems"],
    ] as const) {
      const answer = await api.send({ path, headers: { authorization: "" } });
      expect([answer.status, answer.header("location")], path).toEqual([302, to]);
      expect((await api.send({ path: to })).status).toBe(200);
    }
  });
  it("[stream.create-repeat] [sub.start] only the request that creates has a Location", async () => {
    const stream = await api.newStream();
    const again = await api.createStream({ name: stream });
    expect([again.status, again.header("location")]).toEqual([200, ""]);
    const subscribe = () => api.createSubscription(stream, { name: "s" });
    const first = await subscribe();
    expect([first.status, first.header("location")]).toEqual([201, at(stream, "s")]);
    const second = await subscribe();
    expect([second.status, second.header("location")]).toEqual([200, ""]);
  });

  it("[key.form] the Location of a new key shows the key without its secret", async () => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name: "edge", scopes: ["read"], streams: ["none"] });
    const made = await api.send({ method: "POST", path: "/keys", headers, body });
    expect(made.status).toBe(201);
    const path = made.header("location");
    const { apiKey: _, ...described } = made.body as { apiKey: string };
    expect((await api.send({ path })).body).toEqual(described);
    expect((await api.send({ method: "DELETE", path })).status).toBe(204);
    expect(parseProblem(await api.send({ path })).code).toBe("api-key-not-found");
  });
  it("[publish.formats] times may have a lower-case t and z, and are returned in upper case", async () => {
    const stream = await api.newStream();
    await api.publish(stream, { key: "k", data: 1, time: "2026-01-02t03:04:05.678z" });
    const { body } = await api.browse(stream, { from: "2020-01-01t00:00:00z" });
    expect(body.events.map(({ time }) => time)).toEqual(["2026-01-02T03:04:05.678Z"]);
    const start = { timestamp: "2020-01-01t00:00:00+01:00" };
    await api.createSubscription(stream, { name: "s", start });
    expect((await api.poll(stream, "s")).body.events).toHaveLength(1);
  });
}

/** Returns 270 kB that become 256 MiB of zeros after decompression, in one member. */
function makeBomb(): Buffer {
  const zeros = Buffer.alloc(1_024 * 1_024);
  const times = 256;
  // A flushed part refers to none before it, so it can be repeated.
  const part = deflateRawSync(zeros, { finishFlush: constants.Z_FULL_FLUSH });
  const [header, end] = [Buffer.from("1f8b08000000000000ff", "hex"), Buffer.from("0300", "hex")];
  const trailer = Buffer.alloc(8);
  const checksum = Array.from({ length: times }).reduce((sum: number) => crc32(zeros, sum), 0);
  trailer.writeUInt32LE(checksum);
  trailer.writeUInt32LE(times * zeros.length, 4);
  return Buffer.concat([header, ...Array.from({ length: times }, () => part), end, trailer]);
}

function packed(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
  });
  const NDJSON = "application/x-ndjson";
  const publish = (body: Uint8Array, type = NDJSON, encoding = "gzip", chunked = false) =>
    api.send({
      method: "POST",
      path: `${at(stream)}/events`,
      body,
      chunked,
      headers: { "content-type": type, "content-encoding": encoding },
    });
  const line = (key: string) => `${JSON.stringify({ key, data: "é" })}\n`;
  const refused = (answer: Answer, code: string) => {
    expect(parseProblem(answer).code, answer.text).toBe(code);
  };
  /** Returns a request that has this many bytes after decompression, and very few before. */
  const padded = (bytes: number) =>
    gzipSync(
      line("pad")
        .trim()
        .padEnd(bytes - 1, " "),
    );

  it.each(["gzip", "GZIP", "x-gzip"])(
    "[http.gzip-in] a gzip body is decompressed: %s",
    async (encoding) => {
      const answer = await publish(gzipSync(line("a") + line("b")), NDJSON, encoding);
      expect(PublishReceipt.parse(answer.body).events).toHaveLength(2);
    },
  );

  it("[http.gzip-in] a gzip body is decompressed in chunks and in several members", async () => {
    const members = Buffer.concat([gzipSync(line("a")), gzipSync(line("b"))]);
    const answer = await publish(members, NDJSON, "gzip", true);
    expect(PublishReceipt.parse(answer.body).events).toHaveLength(2);
    const batch = "application/cloudevents-batch+json";
    const event = { specversion: "1.0", id: "1", source: "/a", type: "t", subject: "k" };
    expect((await publish(gzipSync(JSON.stringify([event])), batch)).status).toBe(201);
  });

  it("[http.gzip-in] an absent body is not decompressed", async () => {
    for (const [method, path] of [
      ["POST", `${at(stream)}/compact`],
      ["GET", at(stream)],
    ] as const) {
      const answer = await api.send({ method, path, headers: { "content-encoding": "gzip" } });
      expect(answer.status, answer.text).toBe(200);
    }
  });

  it("[http.gzip-in] a body may decompress to the cap of a request, and to no byte more", async () => {
    expect((await publish(padded(LIMITS.requestBytesMax))).status).toBe(201);
    refused(await publish(padded(LIMITS.requestBytesMax + 2)), "request-too-large");
    refused(await publish(makeBomb()), "request-too-large");
    const body = gzipSync(" ".repeat(LIMITS.otherRequestBytesMax + 1));
    const headers = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
    const small = { method: "POST", path: "/streams", headers, body };
    refused(await api.send(small), "request-too-large");
  });

  it.each([
    ["cut off", gzipSync(line("a").repeat(50)).subarray(0, 40)],
    ["without its end", gzipSync(line("a")).subarray(0, -4)],
    [
      "with a wrong checksum",
      Buffer.concat([gzipSync(line("a")).subarray(0, -8), Buffer.alloc(8, 1)]),
    ],
    ["with something after it", Buffer.concat([gzipSync(line("a")), Buffer.from("more")])],
    ["no gzip at all", Buffer.from(line("a"))],
    ["one byte", Buffer.from([0x1f])],
  ])("[http.gzip-in] is refused when it is %s, and nothing is written", async (_, body) => {
    const { eventCount } = await api.getStream(stream);
    refused(await publish(body), "malformed-gzip");
    expect((await api.getStream(stream)).eventCount).toBe(eventCount);
  });

  it.each(["deflate", "br", "zstd", "gzip, gzip", "compress"])(
    "[http.gzip-in] any other encoding is refused with the accepted ones: %s",
    async (encoding) => {
      const answer = await publish(gzipSync(line("a")), NDJSON, encoding);
      refused(answer, "unsupported-media-type");
      expect(answer.header("accept-encoding")).toBe("gzip");
    },
  );
}

function heads(api: Client): void {
  it("[http.head] HEAD of a poll is no delivery and holds no share", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s", maxDeliveries: 2 });
    await api.publish(stream, { key: "k", data: 1 });
    const path = `${at(stream, "s")}/poll`;
    for (let n = 0; n < 6; n++) {
      const query = n % 2 === 0 ? "?limit=1" : "?limit=1&consumer=head";
      const answer = await api.send({ method: "HEAD", path: path + query });
      expect([answer.status, answer.text]).toEqual([200, ""]);
    }
    expect(await api.getSubscription(stream, "s")).toMatchObject({ parkedKeys: 0, members: [] });
    expect((await api.poll(stream, "s")).body.events).toHaveLength(1);
    const missing = { method: "HEAD", path: `${at(stream, "other")}/poll` };
    expect((await api.send(missing)).status).toBe(404);
  });

  it("[http.head] HEAD is answered wherever GET is", async () => {
    const stream = await api.newStream();
    for (const path of [
      at(stream),
      `${at(stream)}/events`,
      `${at(stream)}/compacted`,
      "/streams",
    ]) {
      const answer = await api.send({ method: "HEAD", path });
      expect([answer.status, answer.text], path).toEqual([200, ""]);
    }
  });
}

function bounds(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
  });
  const fault = async (answer: Answer) => parseProblem(answer).errors?.[0];
  const { pageEventsMax, listMax, waitSecondsMax } = LIMITS;

  it.each([
    ["events", "limit", 1, pageEventsMax],
    ["subscriptions/s/poll", "limit", 1, pageEventsMax],
    ["subscriptions/s/poll", "waitSeconds", 0, waitSecondsMax],
    ["subscriptions", "limit", 1, listMax],
    ["subscriptions/s/parked", "limit", 1, listMax],
    ["compacted", "limit", 1, listMax],
  ])("[error.problem] of %s?%s are named: %i to %i", async (path, name, min, max) => {
    for (const value of [min - 1, max + 1, "1.5", "x", "", "9007199254740993", "1e3"]) {
      const answer = await api.send({ path: `${at(stream)}/${path}?${name}=${value}` });
      expect(await fault(answer), String(value)).toEqual({
        pointer: `/query/${name}`,
        detail: `must be an integer from ${min} to ${max}`,
      });
    }
  });

  it.each([
    ["GET", "/whoami"],
    ["GET", "/streams/{stream}"],
    ["PATCH", "/streams/{stream}"],
    ["POST", "/streams/{stream}/events"],
    ["POST", "/streams/{stream}/compact"],
    ["GET", "/streams/{stream}/compacted/a"],
    ["GET", "/streams/{stream}/subscriptions/s"],
    ["POST", "/streams/{stream}/subscriptions/s/poll"],
    ["POST", "/streams/{stream}/subscriptions/s/commit"],
    ["POST", "/streams/{stream}/subscriptions/s/park"],
  ])("[http.query] %s %s refuses a parameter that it does not take", async (method, path) => {
    const answer = await api.send({
      method,
      path: `${path.replace("{stream}", stream)}?consumer=w1`,
      ...(method === "GET" ? {} : { headers: { "content-type": "application/json" }, body: "{}" }),
    });
    expect(await fault(answer)).toEqual({
      pointer: "/query/consumer",
      detail: "is not known: this request takes no query parameters",
    });
  });

  it.each([
    ["subscriptions/s/poll", "limit", 1, pageEventsMax, {}],
    ["subscriptions/s/poll", "waitSeconds", 0, waitSecondsMax, {}],
    [
      "subscriptions",
      "leaseSeconds",
      LIMITS.leaseSecondsMin,
      LIMITS.leaseSecondsMax,
      { name: "t" },
    ],
    ["subscriptions", "maxDeliveries", LIMITS.deliveriesMin, LIMITS.deliveriesMax, { name: "t" }],
    ["subscriptions/s/park", "sequence", 1, Number.MAX_SAFE_INTEGER, {}],
  ])("[error.problem] of %s {%s} are named: %i to %i", async (path, name, min, max, rest) => {
    for (const value of [min - 1, 2 ** 53, 1.5, "1", null]) {
      const answer = await api.send({
        method: "POST",
        path: `${at(stream)}/${path}`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...rest, [name]: value }),
      });
      expect(await fault(answer), String(value)).toEqual({
        pointer: `/${name}`,
        detail: `must be an integer from ${min} to ${max}`,
      });
    }
  });
}
