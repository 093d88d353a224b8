import net from "node:net";
import { LIMITS, type Problem, type ProblemCode } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BAD_BODIES } from "./bad-bodies.ts";
import { BAD_REQUESTS } from "./bad-requests.ts";
import type { BadRow } from "./bad-rows.ts";
import { at, type Client, createClient, newName } from "./client.ts";
import type { Answer, Target } from "./wire.ts";

/**
 * Tests that every invalid request gets its status, its code and its pointer, and has no effect.
 */
export function badInputContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("a bad request", () => badRequests(api));
  describe("a request id", () => requestIds(api));
}

/** The values for the names in braces of a row. */
type Made = Readonly<Record<string, string>>;

/**
 * The promise that a refusal proves, by its code. The other codes prove the promises about errors
 * in general.
 */
const PROMISES: Partial<Record<ProblemCode, string>> = {
  "invalid-cursor": "[cursor.opaque]",
  "method-not-allowed": "[http.method]",
  "route-not-found": "[http.not-found]",
  unauthorized: "[auth.key]",
  "unsupported-media-type": "[publish.formats]",
};

const ROWS = [...BAD_BODIES, ...BAD_REQUESTS].map(
  (row) => [PROMISES[row.code] ?? "[error.problem]", row.name, row] as const,
);

function badRequests(api: Client): void {
  let made: Made;
  let before: unknown;

  beforeAll(async () => {
    made = await make(api);
    before = await look(api, made);
  });

  it.each(ROWS)("%s is refused: %s", async (_, __, row) => {
    const answer = await sendRow(api, row, made);
    const problem = answer.body as Problem;
    expect(answer.status, answer.text).toBe(row.status);
    expect(problem.code).toBe(row.code);
    if (row.pointer !== undefined) expect(problem.errors?.[0]?.pointer).toBe(row.pointer);
    if (row.allow !== undefined) expect(answer.header("allow")).toBe(row.allow);
    expect(answer.text).not.toMatch(/ at .*\.ts:|node_modules|dynamo/i);
    expect(answer.text.length).toBeLessThan(8_192);
  });

  it("[error.nothing-written] a bad request has changed nothing", async () => {
    expect(await look(api, made)).toEqual(before);
  });

  it("[error.problem] a problem lists every invalid field, and at most 20 of them", async () => {
    const send = (body: string) =>
      api.send({
        method: "POST",
        path: `${at(made.stream ?? "")}/events`,
        body,
        headers: { "content-type": "application/json" },
      });
    const few = (await send('{"events":[{"key":1},{"key":"k","data":1,"x":1}]}')).body as Problem;
    expect(few.errors?.map(({ pointer }) => pointer)).toEqual([
      "/events/0/key",
      "/events/0/data",
      "/events/1/x",
    ]);
    const many = Array.from({ length: LIMITS.requestEventsMax }, () => ({}));
    const answer = await send(JSON.stringify({ events: many }));
    expect((answer.body as Problem).errors).toHaveLength(20);
    expect((answer.body as Problem).detail).toContain("2000");
  });

  it.each(["0", "1.5", "true", '"1"', "9007199254740992", "99999999999999999999", "1e400"])(
    "[error.problem] a problem names the bounds of an integer that is %s, wherever it is sent",
    async (value) => {
      const stream = at(made.stream ?? "");
      const subscription = at(made.stream ?? "", "sub");
      const sequence = `{"sequence":${value}}`;
      const places: [pointer: string, path: string, body?: string][] = [
        ["/sequence", `${subscription}/commit`, sequence],
        ["/commit/sequence", `${subscription}/poll`, `{"commit":${sequence}}`],
        ["/to/sequence", `${subscription}/seek`, `{"to":${sequence}}`],
        [
          "/start/sequence",
          `${stream}/subscriptions`,
          `{"name":"${made.bad}","start":${sequence}}`,
        ],
        ["/sequence", `${subscription}/park`, sequence],
        ["/query/sequence", `${subscription}/parked/k/skip?sequence=${encodeURI(value)}`],
        ["/query/sequence", `${stream}/events?sequence=${encodeURI(value)}`],
      ];
      for (const [pointer, path, body] of places) {
        const isQuery = pointer.startsWith("/query");
        if (isQuery && value === '"1"') continue;
        const method = path.includes("/events?") ? "GET" : "POST";
        const answer = await api.send({
          method,
          path,
          ...(body === undefined ? {} : { body }),
          ...(body === undefined ? {} : { headers: { "content-type": "application/json" } }),
        });
        expect((answer.body as Problem).errors, `${path} ${body}`).toEqual([
          { pointer, detail: `must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}` },
        ]);
      }
      if (value === "0") return;
      const expecting = `{"key":"k","data":1,"expectedSequence":${value}}`;
      const publish = { method: "POST", path: `${stream}/events`, body: expecting };
      const headers = { "content-type": "application/json" };
      const refused = (await api.send({ ...publish, headers })).body as Problem;
      const detail = `must be an integer from 0 to ${Number.MAX_SAFE_INTEGER} or null`;
      expect(refused.errors).toEqual([{ pointer: "/expectedSequence", detail }]);
    },
  );

  it("[error.problem] a problem names the accepted media types", async () => {
    const path = `${at(made.stream ?? "")}/events`;
    const answer = await api.send({ method: "POST", path, body: "x" });
    expect(answer.body).toMatchObject({ accepted: expect.stringContaining("application/json") });
  });

  it("[http.method] HEAD is answered like GET without a body", async () => {
    for (const path of ["/streams", at(made.stream ?? ""), "/health"]) {
      const head = await api.send({ method: "HEAD", path });
      expect([head.status, head.text]).toEqual([200, ""]);
    }
    const missing = await api.send({ method: "HEAD", path: at("no-such-stream") });
    expect(missing.status).toBe(404);
    const wrong = await api.send({
      method: "HEAD",
      path: `${at(made.stream ?? "", "sub")}/commit`,
    });
    expect(wrong.status).toBe(405);
  });
}

async function make(api: Client): Promise<Made> {
  const [stream, other] = [await api.newStream(), await api.newStream()];
  for (const name of [stream, other]) {
    await api.publish(
      name,
      [1, 2, 3].map((data) => ({ key: "k", data })),
    );
    for (const sub of ["sub", "sub2"]) await api.createSubscription(name, { name: sub });
  }
  return {
    stream,
    sub: "sub",
    bad: newName(),
    browse: (await api.browse(stream, { limit: 1 })).body.cursor,
    receipt: (await api.publish(stream, { key: "k", data: 4 })).body.cursor,
    poll: (await api.poll(stream, "sub", { limit: 1 })).body.cursor,
    foreign: (await api.poll(other, "sub", { limit: 1 })).body.cursor,
    foreignBrowse: (await api.browse(other, { limit: 1 })).body.cursor,
  };
}

/** Reads everything that an invalid request could have changed. */
async function look(api: Client, { stream = "", bad = "" }: Made) {
  const { watermarkLag: _, bytes: __, subscriptions, ...info } = await api.getStream(stream);
  const streams: string[] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const { body } = await api.listStreams({ limit: LIMITS.listMax, cursor });
    streams.push(...body.streams.map(({ name }) => name));
    more = body.cursor !== null;
    cursor = body.cursor ?? undefined;
  }
  return {
    info,
    lags: subscriptions?.map(({ name, lag }) => [name, lag.events]),
    bad: streams.filter((name) => name === bad),
    events: await api.readAll(stream),
    subscriptions: (await api.listSubscriptions(stream)).body,
    lag: (await api.getSubscription(stream, "sub")).lag.events,
  };
}

function sendRow(api: Client, row: BadRow, made: Made): Promise<Answer> {
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (all, name) => made[name] ?? all);
  const headers = row.body === undefined ? {} : { "content-type": "application/json" };
  return api.send({
    method: row.method ?? "GET",
    path: fill(row.path ?? ""),
    headers: row.headers ?? headers,
    ...(row.body === undefined ? {} : { body: fill(row.body) }),
  });
}

function requestIds(api: Client): void {
  const idOf = async (value: string | string[], path = "/health") =>
    (await api.send({ path, headers: { "x-request-id": value } })).header("x-request-id");

  it.each(["abcdefgh", "A-Z_a.z-09", "0".repeat(64), "1f0c9d2e-6a55-7b1c-9e10-0d5b3c1f2a77"])(
    "[http.request-id] a well-formed request id is returned: %s",
    async (id) => {
      expect(await idOf(id)).toBe(id);
      expect(await idOf(id, "/nope")).toBe(id);
      expect(await idOf(id, "/streams/no-such-stream")).toBe(id);
    },
  );

  it.each([
    ["too short", "abcdefg"],
    ["too long", "a".repeat(65)],
    ["far too long", "a".repeat(4_000)],
    ["with a space", "abcd efgh"],
    ["with an escaped line break", "abcdefgh%0d%0aset-cookie:a=b"],
    ["with markup", "<script>alert(1)</script>"],
    ["not ASCII", "abcdefgh\u00e9"],
    ["empty", ""],
    ["sent twice", ["abcdefgh", "ijklmnop"]],
  ])("[http.request-id] is replaced when %s", async (_, value) => {
    const id = await idOf(value);
    expect(id).not.toContain(Array.isArray(value) ? value[0] : value || " ");
    expect(await idOf(value)).not.toBe(id);
  });

  it("[http.request-id] a path that looks like a pattern has one request id", async () => {
    // `send` checks that the problem's `instance` equals the `X-Request-Id` header.
    const { status } = await api.send({ method: "POST", path: "/*" });
    expect(status).toBe(404);
  });

  it("[http.request-id] a request id never contains a line break", async () => {
    for (const eol of ["\r", "\n", "\r\n "]) {
      const raw = await exchangeRaw(
        api.target,
        `GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: abcdefgh${eol}Evil: yes\r\nConnection: close\r\n\r\n`,
      );
      expect(raw).not.toMatch(/evil/i);
    }
  });
}

/**
 * Sends bytes that no HTTP client would send. This works only for a server that is reached without
 * TLS.
 */
function exchangeRaw({ baseUrl }: Target, request: string): Promise<string> {
  const { protocol, hostname, port } = new URL(baseUrl);
  if (protocol !== "http:") return Promise.resolve("");
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = net.connect(Number(port || 80), hostname, () => socket.write(request));
    socket.setTimeout(5_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
