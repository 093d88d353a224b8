import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN_KEY, nodeDoor } from "./doors.ts";

/**
 * These tests check what only a Node server receives: the exact bytes of a client, in their order.
 */

let door: Awaited<ReturnType<typeof nodeDoor>>;
const KEYED = `Authorization: Bearer ${ADMIN_KEY}\r\n`;

beforeAll(async () => {
  door = await nodeDoor();
  await door.ask({ method: "POST", path: "/streams", body: { name: "s" } });
});
afterAll(() => door.close());

const open = (): Socket => connect(Number(new URL(door.url).port), "127.0.0.1");

/** Sends bytes and returns what the server answers until it closes the connection. */
async function tell(bytes: string | Buffer): Promise<string> {
  const socket = open();
  socket.write(bytes);
  return read(socket, () => false);
}

/** Reads until there is enough, or until the server closes the connection. */
function read(socket: Socket, isEnough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      if (!isEnough(text)) return;
      socket.removeAllListeners();
      resolve(text);
    });
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

const head = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, "Host: x", "Connection: close", ...headers, "", ""].join("\r\n");

const problemOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));

const published = async (): Promise<number> => {
  const { text } = await door.ask({ method: "GET", path: "/streams/s/events" });
  return JSON.parse(text).events.length;
};

describe("a header that comes twice", () => {
  const publish = (headers: string[], body = '{"key":"k","data":1}') =>
    tell(
      head(
        "POST /streams/s/events",
        ...headers,
        `Authorization: Bearer ${ADMIN_KEY}`,
        `Content-Length: ${body.length}`,
      ) + body,
    );
  const CE = ["ce-specversion: 1.0", "ce-id: 1", "ce-source: /a", "ce-type: t"];
  const JSON_TYPE = "Content-Type: application/json";

  it.each([
    ["ce-subject", [...CE, "ce-subject: k", "ce-subject: k2"]],
    ["ce-partitionkey", [...CE, "CE-PartitionKey: k", "ce-partitionkey: k"]],
    ["ce-id", [...CE, "ce-subject: k", "ce-id: 2"]],
    ["ce-extension", [...CE, "ce-subject: k", "ce-extension: 1", "ce-extension: 2"]],
    ["idempotency-key", [JSON_TYPE, "Idempotency-Key: a", "idempotency-key: b"]],
    ["content-type", [JSON_TYPE, "Content-Type: application/x-ndjson"]],
    ["authorization", [JSON_TYPE, "Authorization: Bearer other"]],
    ["x-api-key", [JSON_TYPE, "X-Api-Key: a", "X-Api-Key: a"]],
    ["host", [JSON_TYPE, "Host: y"]],
    ["if-match", [JSON_TYPE, 'If-Match: "1"', 'If-Match: "2"']],
  ])("[http.once] is refused, and nothing is written: %s", async (name, headers) => {
    const before = await published();
    expect(problemOf(await publish(headers))).toMatchObject({
      status: 400,
      code: "invalid-request",
      errors: [{ pointer: `/headers/${name}` }],
    });
    expect(await published()).toBe(before);
  });

  it("[http.once] a header that is a list may occur twice", async () => {
    const lists = ["Accept: a/b", "Accept: application/json", "Accept-Encoding: br"];
    const answer = await publish([
      JSON_TYPE,
      ...lists,
      "Accept-Encoding: gzip",
      "X-Other: 1",
      "X-Other: 2",
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  });
});

describe("Expect", () => {
  const BODY = '{"key":"k","data":1}';
  const expecting = (...headers: string[]) =>
    head(
      "POST /streams/s/events",
      "Expect: 100-continue",
      "Content-Type: application/json",
      ...headers,
    );

  it("[http.expect] the server asks for the body once the key is known", async () => {
    const socket = open();
    socket.write(expecting(`Authorization: Bearer ${ADMIN_KEY}`, `Content-Length: ${BODY.length}`));
    expect(await read(socket, (text) => text.includes("\r\n\r\n"))).toBe(
      "HTTP/1.1 100 Continue\r\n\r\n",
    );
    socket.write(BODY);
    expect(await read(socket, () => false)).toMatch(/^HTTP\/1\.1 201 /);
  });

  it.each([
    ["without a key", 401, "Content-Length: 20"],
    ["with a wrong key", 401, "Content-Length: 20\r\nAuthorization: Bearer wrong"],
    ["with too large a body", 413, `Content-Length: 4194305\r\n${KEYED.trim()}`],
    [
      "with an encoding that no server takes",
      415,
      `Content-Length: 9\r\nContent-Encoding: br\r\n${KEYED.trim()}`,
    ],
  ])("[http.expect] asks for no body %s, and closes", async (_, status, headers) => {
    const socket = open();
    socket.write(expecting(headers));
    const answer = await read(socket, () => false);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain("100 Continue");
    expect(answer.toLowerCase()).toContain("connection: close");
    expect(problemOf(answer).status).toBe(status);
  });

  it("[http.expect] any other expectation is refused", async () => {
    const answer = await tell(head("POST /streams/s/events", "Expect: tea", "Content-Length: 0"));
    expect(problemOf(answer)).toMatchObject({ status: 417, code: "expectation-failed" });
  });
});

describe("a body that no route reads", () => {
  const lines = [
    ["GET /health", 200],
    ["GET /docs/assets/swagger-ui.css", 200],
    ["HEAD /streams/s", 200],
    ["GET /streams/s/events", 200],
    ["POST /streams/s/compact", 413],
    ["DELETE /streams/s/exports/000000000000000000", 413],
  ] as const;
  const chunk = `40000\r\n${"x".repeat(0x40000)}\r\n`;

  it.each(lines)(
    "[http.limits] a client that closes gets the whole answer to %s",
    async (line, status) => {
      for (let n = 0; n < 5; n++) {
        const sized = head(line, KEYED.trim(), `Content-Length: ${4 * chunk.length}`);
        const chunked = head(line, KEYED.trim(), "Transfer-Encoding: chunked");
        for (const text of [sized + chunk.repeat(4), `${chunked}${chunk.repeat(4)}0\r\n\r\n`]) {
          const answer = await tell(text);
          expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
          if (status === 413)
            expect(problemOf(answer)).toMatchObject({ code: "request-too-large" });
        }
      }
    },
  );
});

describe("HTTP/1.0", () => {
  it("[http.expect] HTTP/1.0 needs no Host", async () => {
    expect(await tell("GET /health HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await tell(`GET /streams HTTP/1.0\r\n${KEYED}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    const body = '{"key":"k","data":1}';
    const publish = `POST /streams/s/events HTTP/1.0\r\n${KEYED}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(await tell(publish)).toMatch(/^HTTP\/1\.1 201 /);
  });

  it("[error.problem] HTTP/1.1 without Host is a problem", async () => {
    const answer = await tell("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n");
    expect(problemOf(answer)).toMatchObject({ status: 400, code: "malformed-http" });
  });
});

describe("a request line", () => {
  const compacted = (key: string | Buffer) =>
    tell(
      Buffer.concat([
        Buffer.from("GET /streams/s/compacted/"),
        Buffer.from(key),
        Buffer.from(` HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${KEYED}\r\n`),
      ]),
    );

  it.each([
    ["a fragment", "a#1"],
    ["a dot", "."],
    ["two dots", ".."],
    ["an escaped dot", "%2e"],
    ["two escaped dots", "%2E."],
    ["bytes of UTF-8 as they are", Buffer.from("é")],
    ["bytes that are no UTF-8", "%ff"],
    ["half an escape", "%4"],
  ])("[http.target] is refused when its path holds %s", async (_, key) => {
    const answer = await compacted(key);
    expect(problemOf(answer)).toMatchObject({ status: 400 });
    expect(problemOf(answer).code).toBeOneOf(["invalid-request", "malformed-http"]);
  });
});
