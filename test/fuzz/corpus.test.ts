import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { brotliCompress, deflate, gzip, zstdCompress } from "node:zlib";
import { LIMITS, PublishReceipt } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Stack, startStack } from "../../packages/local/src/stack.ts";
import { send } from "../contract/wire.ts";

/** These inputs have broken other servers. Each has exactly one correct answer. */

let stack: Stack;
const json = { "content-type": "application/json" };
const EVENTS = "/streams/corpus/events";

beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `corpus-${randomUUID()}` });
  for (const name of ["corpus", "other"]) {
    await send(target(), {
      method: "POST",
      path: "/streams",
      headers: json,
      body: `{"name":"${name}"}`,
    });
  }
});
afterAll(() => stack?.stop());

const target = () => ({ baseUrl: stack.url, apiKey: stack.adminKey });
const publish = (body: string | Uint8Array, headers: Record<string, string> = json) =>
  send(target(), { method: "POST", path: EVENTS, headers, body });

/**
 * Sends bytes and returns everything that the server answers until it closes the connection or has
 * answered `answers` times.
 */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(stack.url).port), "127.0.0.1");
  socket.write(bytes.replaceAll("KEY", stack.adminKey));
  return text(socket);
}

const padded = (bytes: number) => `{"key":"k","data":1}${" ".repeat(bytes - 20)}`;

describe("bodies", () => {
  it.each([
    ["no byte", "", 400],
    ["one byte", "{", 400],
    ["one byte below the cap", padded(LIMITS.requestBytesMax - 1), 201],
    ["the cap", padded(LIMITS.requestBytesMax), 201],
    ["one byte more", padded(LIMITS.requestBytesMax + 1), 413],
    ["20 MB", padded(20_000_000), 413],
    ["100,000 open brackets", `{"key":"k","data":${"[".repeat(100_000)}`, 400],
    [
      "data nested 100,000 deep",
      `{"key":"k","data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
      422,
    ],
    ["a body nested 100,000 deep", "[".repeat(100_000) + "]".repeat(100_000), 400],
    ["300,000 members in an event", `{"key":"k"${',"a":1'.repeat(300_000)},"data":1}`, 400],
    ["400,000 members in data", `{"key":"k","data":{"a":0${',"a":1'.repeat(400_000)}}}`, 413],
    ["a member twice", '{"key":"k","key":"j","data":1}', 400],
    ["__proto__ as a member", '{"__proto__":{"key":"k"},"data":1}', 400],
    ["__proto__ in data", '{"key":"k","data":{"__proto__":{"a":1},"constructor":{}}}', 201],
    ["a number beyond all", '{"key":"k","data":1e400}', 201],
    ["a byte order mark", "\ufeff{}", 400],
    ["no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), 400],
    ["half a character", '{"key":"k","data":"\\ud800"}', 422],
    ["half a character in a key", '{"key":"\\ud800","data":1}', 400],
    ["a key of no byte", '{"key":"","data":1}', 400],
    ["a key of 512 bytes", `{"key":"${"é".repeat(256)}","data":1}`, 201],
    ["a key of 513 bytes", `{"key":"${"é".repeat(256)}k","data":1}`, 400],
    ["a key of control characters", '{"key":"\\u0000\\u202e\\n#/","data":1}', 201],
  ])("are answered: %s", async (_, body, status) => {
    const answer = await publish(body);
    expect(answer.status, answer.text.slice(0, 300)).toBe(status);
  });

  it.each([
    ["gzip", promisify(gzip), "request-too-large"],
    ["deflate", promisify(deflate), "unsupported-media-type"],
    ["br", promisify(brotliCompress), "unsupported-media-type"],
    ["zstd", promisify(zstdCompress), "unsupported-media-type"],
  ])("are not unpacked beyond the cap: a bomb in %s", async (encoding, compress, code) => {
    // Compression takes seconds, and idle connections end meanwhile, so it must not block this
    // process.
    const bomb = await compress(Buffer.alloc(50_000_000, " "));
    const answer = await publish(bomb, { ...json, "content-encoding": encoding });
    expect(answer.body).toMatchObject({ code });
    expect((await publish(bomb)).status).toBeOneOf([400, 413]);
    expect((await publish(bomb.subarray(0, 20))).status).toBe(400);
  });

  it("keys that only look the same stay different", async () => {
    const keys = ["\u00e9", "e\u0301", "E\u0301", "\uff21", "A", "a\u0000", "a"];
    for (const key of keys)
      expect((await publish(JSON.stringify({ key, data: key }))).status).toBe(201);
    for (const key of keys) {
      const path = `${EVENTS}?limit=1000&key=${encodeURIComponent(key)}`;
      const { body } = await send(target(), { path });
      expect((body as { events: unknown[] }).events).toMatchObject([{ key, data: key }]);
    }
  });
});

describe("lengths", () => {
  const head = `POST ${EVENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n`;
  const event = '{"key":"k","data":1}';

  it("a length that is too short cuts the body off, and the rest is no request", async () => {
    const answer = await sendRaw(`${head}Content-Length: 5\r\n\r\n${event}\r\n\r\n`);
    expect(answer.replaceAll(/^HTTP\/1\.1 400 /gm, "")).not.toMatch(/^HTTP/m);
  });

  it.each([
    [
      "Content-Length and chunks",
      `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["chunks named twice", "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"],
    ["an unknown coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["a chunk of no number", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n"],
    ["a signed length", "Content-Length: +5\r\n\r\nabcde"],
    ["a space before the colon", "Content-Length : 5\r\n\r\nabcde"],
  ])("cannot smuggle a request in: %s", async (_, rest) => {
    const smuggled = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    const answer = await sendRaw(`${head}${rest}${smuggled}`);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|408) /);
    expect(answer).not.toContain('"status":"ok"');
  });
});

describe("what is reflected", () => {
  it("reflected text cannot become a header", async () => {
    const evil = "%0d%0aX-Evil:%201";
    for (const path of [
      `/streams/a${evil}`,
      `/nowhere${evil}`,
      `/streams?limit=1${evil}`,
      `/keys/${evil}`,
    ]) {
      const answer = await send(target(), { path });
      expect(answer.status).toBeOneOf([400, 404, 405]);
      expect(answer.header("x-evil")).toBe("");
    }
    const id = await send(target(), {
      path: "/health",
      headers: { "x-request-id": "a b<script>" },
    });
    expect(id.header("x-request-id")).not.toContain("script");
  });

  it.each([
    "..%2fother",
    "%2e%2e%2fother",
    "other%00",
    "other%23META",
    "other%2fevents",
    "%5cother",
  ])("reflected text cannot leave its place in a path: %s", async (segment) => {
    const answer = await send(target(), { path: `/streams/${segment}` });
    expect(answer.body).toMatchObject({ code: "invalid-request" });
  });
});

describe("cursors", () => {
  it("[cursor.opaque] cursors are refused with any character changed", async () => {
    const { cursor } = PublishReceipt.parse((await publish('{"key":"k","data":1}')).body);
    expect((await send(target(), { path: `${EVENTS}?from=${cursor}` })).status).toBe(200);
    for (let at = 0; at < cursor.length; at++) {
      const other = cursor[at] === "A" ? "B" : "A";
      const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
      const { body } = await send(target(), { path: `${EVENTS}?from=${changed}` });
      expect(body, `at ${at}`).toMatchObject({ code: "invalid-cursor" });
    }
    const { body } = await send(target(), { path: `/streams/other/events?from=${cursor}` });
    expect(body).toMatchObject({ code: "invalid-cursor" });
  });
});
