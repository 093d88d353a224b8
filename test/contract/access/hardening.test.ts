import { randomBytes, randomUUID } from "node:crypto";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { LIMITS, Problem } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { openLedger } from "../../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../../packages/local/src/http-server.ts";
import { localAws } from "../../../packages/local/src/local-aws.ts";
import { readSettings } from "../../../packages/local/src/settings.ts";
import { type Stack, startStack } from "../../../packages/local/src/stack.ts";
import { StackError } from "../../../packages/local/src/stack-error.ts";
import { send } from "../wire.ts";

let stack: Stack;
const ORIGIN = "https://console.example";

const start = (options: object = {}) =>
  startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `hardening-${randomUUID()}`,
    ...options,
  });

beforeAll(async () => {
  stack = await start();
});
afterAll(() => stack?.stop());

/** Sends raw bytes and returns what the server answers until it closes the connection. */
async function sendRaw(bytes: string): Promise<{ head: string; problem: Problem }> {
  const socket = connect(Number(new URL(stack.url).port), "127.0.0.1");
  socket.write(bytes);
  const answer = await text(socket);
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  return { head, problem: Problem.parse(JSON.parse(body)) };
}

const target = () => ({ baseUrl: stack.url, apiKey: stack.adminKey });
const json = { "content-type": "application/json" };

describe("limits", () => {
  it("[http.limits] headers over the cap are refused with a problem", async () => {
    const { head, problem } = await sendRaw(
      `GET /streams HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(17_000)}\r\n\r\n`,
    );
    expect(head).toMatch(/^HTTP\/1\.1 431 /);
    expect(head).toMatch(/\r\nX-Request-Id: \S+/);
    expect(problem).toMatchObject({ status: 431, code: "headers-too-large" });
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n"],
    ["a broken header", "GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n"],
    [
      "a length and chunks",
      "POST /streams HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "two lengths",
      "POST /streams HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    ],
    ["a negative length", "POST /streams HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
  ])("[http.limits] refuses %s with a problem, and closes", async (_, bytes) => {
    const { problem } = await sendRaw(bytes);
    expect(problem).toMatchObject({ status: 400, code: "malformed-http" });
  });

  const small = (bytes: number) => {
    const start = '{"name":"k","scopes":["consume"],"streams":["*"]';
    return `${start}${" ".repeat(bytes - start.length - 1)}}`;
  };

  it.each([
    ["with its length", false],
    ["in chunks", true],
  ])(
    "[http.limits] a small body at its cap, sent %s, is accepted, and one byte more is refused",
    async (_, chunked) => {
      const call = { method: "POST", path: "/keys", headers: json, chunked };
      const fits = await send(target(), { ...call, body: small(LIMITS.otherRequestBytesMax) });
      expect(fits.status).toBe(201);
      for (const bytes of [LIMITS.otherRequestBytesMax + 1, 70_000, 3_000_000, 5_000_000]) {
        const over = await send(target(), { ...call, body: small(bytes) });
        expect(over.body).toMatchObject({ code: "request-too-large" });
        expect((await send(target(), { ...call, body: small(100) })).status).toBe(201);
      }
    },
  );

  it("[http.limits] a small body over its cap is refused, whatever else is wrong with it", async () => {
    const call = { method: "POST", path: "/keys", body: "x".repeat(70_000) };
    for (const chunked of [false, true]) {
      const { body } = await send(target(), { ...call, chunked });
      expect(body).toMatchObject({ code: "request-too-large" });
    }
  });

  it("[http.limits] a publish in chunks is accepted", async () => {
    const call = { method: "POST", headers: json, chunked: true };
    await send(target(), { ...call, path: "/streams", body: '{"name":"chunks"}' });
    const path = "/streams/chunks/events";
    const body = '{"key":"k","data":1}'.padEnd(70_000, " ");
    expect((await send(target(), { ...call, path, body })).status).toBe(201);
  });

  it("[http.limits] a body in chunks has the same cap", async () => {
    const url = `${stack.url}/streams`;
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
    });
    const headers = { ...json, authorization: `Bearer ${stack.adminKey}` };
    const request = { method: "POST", headers, body, duplex: "half" } as RequestInit;
    const answer = await fetch(url, request);
    expect(answer.status).toBe(413);
  });
});

describe("what answers keep to themselves", () => {
  it("[http.private] every answer has headers that restrict browsers", async () => {
    const { header } = await send(target(), { path: "/streams", headers: { origin: ORIGIN } });
    expect(header("access-control-allow-origin")).toBe("");
    expect(header("x-content-type-options")).toBe("nosniff");
    expect(header("x-frame-options")).toBe("DENY");
    expect(header("strict-transport-security")).toMatch(/max-age=\d+/);
    expect(header("server") + header("x-powered-by")).toBe("");
    const preflight = await send(target(), {
      method: "OPTIONS",
      path: "/streams",
      headers: { origin: ORIGIN, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(405);
    expect(preflight.header("access-control-allow-methods")).toBe("");
  });

  it("[http.private] an answer to an invalid request has these headers too", async () => {
    const open = await start({ corsOrigins: [ORIGIN] });
    const ask = (path: string, headers: Record<string, string> = {}) =>
      send({ baseUrl: open.url, apiKey: "" }, { path, headers: { origin: ORIGIN, ...headers } });
    try {
      const answers = [
        await ask("/streams/%ff"),
        await ask("/streams", { "content-encoding": "br" }),
        await ask("/streams", { authorization: "" }),
        await ask("/nowhere"),
      ];
      expect(answers.map(({ status }) => status)).toEqual([400, 415, 401, 404]);
      for (const { header } of answers) {
        expect(header("x-content-type-options")).toBe("nosniff");
        expect(header("access-control-allow-origin")).toBe(ORIGIN);
      }
      const outside = [await ask("/metrics"), await ask("/streams", { host: "a b" })];
      expect(outside.map(({ status }) => status)).toEqual([200, 400]);
      for (const { header } of outside) {
        expect(header("x-content-type-options")).toBe("nosniff");
        expect(header("x-frame-options")).toBe("DENY");
      }
    } finally {
      await open.stop();
    }
    const { head } = await sendRaw("hello\r\n\r\n");
    expect(head).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/);
    expect(head).toMatch(/\r\nX-Request-Id: \S+/);
  });

  it("[http.request-id] the metrics page has a request id", async () => {
    const headers = { "x-request-id": "of-this-test" };
    const { status, header } = await send(target(), { path: "/metrics", headers });
    expect([status, header("x-request-id")]).toEqual([200, "of-this-test"]);
  });

  it("[http.private] another machine cannot read the metrics, whatever host name it uses", async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
    expect(outside, "an address of this machine that others could use").toBeDefined();
    const open = await start({ host: "0.0.0.0" });
    const { port } = new URL(open.url);
    const headers = { host: "127.0.0.1", authorization: "" };
    const ask = (address: string) =>
      send({ baseUrl: `http://${address}:${port}`, apiKey: "" }, { path: "/metrics", headers });
    const [here, elsewhere] = await Promise.all([ask("127.0.0.1"), ask(outside ?? "")]).finally(
      () => open.stop(),
    );
    expect(here.status).toBe(200);
    expect(elsewhere.body).toMatchObject({ status: 404, code: "route-not-found" });
  });

  it("[http.private] only clients that use a loopback host name can read the metrics", async () => {
    const ask = (host: string) => send(target(), { path: "/metrics", headers: { host } });
    for (const host of ["localhost", "127.0.0.1:80", "[::1]:4000"]) {
      expect((await ask(host)).status, host).toBe(200);
    }
    for (const host of ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:80"]) {
      expect((await ask(host)).status, host).toBe(404);
    }
  });

  it("[http.private] only pages of a configured origin may call the API", async () => {
    const open = await start({ corsOrigins: [ORIGIN] });
    try {
      const allowed = async (origin: string) => {
        const headers = { origin, "access-control-request-method": "POST", authorization: "" };
        const url = { baseUrl: open.url, apiKey: "" };
        const answer = await send(url, { method: "OPTIONS", path: "/streams", headers });
        return answer.header("access-control-allow-origin");
      };
      expect(await allowed(ORIGIN)).toBe(ORIGIN);
      expect(await allowed("https://console.example.evil")).toBe("");
      expect(await allowed("null")).toBe("");
    } finally {
      await open.stop();
    }
  });

  it("[http.private] answers and logs contain no keys, payloads, stacks or messages of the store", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const broken = openLedger({
      endpoint: inject("dynamoEndpoint"),
      region: "us-east-1",
      tableName: `missing-${randomUUID()}`,
      adminKey: "an-admin-key-for-this-test",
      cursorKey: "x",
    });
    const server = await startServer(broken, { host: "127.0.0.1", port: 0 });
    try {
      const payload = `payload-${randomBytes(8).toString("hex")}`;
      const apiKey = "an-admin-key-for-this-test";
      const answers = [
        await send(
          { baseUrl: server.url, apiKey },
          {
            method: "POST",
            path: "/streams/orders/events",
            headers: json,
            body: `{"key":"k","data":"${payload}"}`,
          },
        ),
        await send(
          { baseUrl: server.url, apiKey },
          {
            method: "POST",
            path: "/streams/orders/events",
            headers: json,
            body: `{"key":"k","data":${payload}}`,
          },
        ),
        await send(
          { baseUrl: server.url, apiKey },
          {
            method: "POST",
            path: "/keys",
            headers: json,
            body: `{"name":"${payload}","scopes":["consume"],"streams":["*"]}`,
          },
        ),
      ];
      expect(answers.map(({ status }) => status)).toEqual([503, 400, 503]);
      for (const { status, text: shown } of answers) {
        expect(shown).not.toMatch(/\bat .*\.ts:|node_modules|Dynamo|ResourceNotFound|Electro/);
        if (status === 503) expect(shown).not.toContain(payload);
      }
      const lines = JSON.stringify(logged.mock.calls);
      expect(lines).toContain("ResourceNotFound");
      expect(lines).not.toContain("payload");
      expect(lines).not.toContain(apiKey);
    } finally {
      await server.stop();
      broken.close();
      logged.mockRestore();
    }
  });
});

describe("a damaged batch", () => {
  const tableName = `damaged-${randomUUID()}`;

  /**
   * Damages the one batch that is not an audit entry, so that the JSON around the secret is
   * invalid.
   */
  async function damage(secret: string): Promise<void> {
    const database = new DynamoDBClient(localAws(inject("dynamoEndpoint")));
    const { Items = [] } = await database.send(new ScanCommand({ TableName: tableName }));
    const row = Items.find(
      ({ pk, sk }) => sk?.S?.startsWith("SEQ#") && !pk?.S?.startsWith("STREAM#_audit#"),
    );
    const bytes = Buffer.from(row?.d?.B ?? []);
    const at = bytes.indexOf(`"${secret}`);
    expect(at, "it is stored as it is").toBeGreaterThan(0);
    bytes[at] = "x".charCodeAt(0);
    await database.send(
      new PutItemCommand({ TableName: tableName, Item: { ...row, d: { B: bytes } } }),
    );
    database.destroy();
  }

  it("[http.private] the log entry of a damaged batch contains none of its content", async () => {
    const secret = "secret";
    const damaged = await start({ tableName });
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const at = { baseUrl: damaged.url, apiKey: damaged.adminKey };
    const post = (path: string, body: string) =>
      send(at, { method: "POST", path, headers: json, body });
    try {
      await post("/streams", '{"name":"orders"}');
      await post("/streams/orders/events", `{"key":"${secret}","data":1}`);
      await damage(secret);
      const answer = await send(at, { path: "/streams/orders/events?from=earliest" });
      expect(answer.body).toMatchObject({ code: "internal" });
      const lines = JSON.stringify(logged.mock.calls);
      expect(lines).toContain("InvariantError");
      expect(lines).toContain("batch 1 cannot be read");
      expect(lines + answer.text).not.toContain(secret);
    } finally {
      logged.mockRestore();
      await damaged.stop();
    }
  });
});

describe("EVENTLEDGER_AUTH=off", () => {
  it("[auth.off] the server accepts only clients that use a loopback host name", async () => {
    const open = await start({ authOff: true });
    try {
      const { port } = new URL(open.url);
      const ask = (host: string) =>
        send(
          { baseUrl: open.url, apiKey: "" },
          { path: "/streams", headers: { authorization: "", host } },
        );
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "127.0.0.1"]) {
        expect((await ask(host)).status, host).toBe(200);
      }
      for (const host of ["evil.example", `127.0.0.1.evil.example:${port}`, "10.0.0.1"]) {
        expect((await ask(host)).status, host).toBe(401);
      }
    } finally {
      await open.stop();
    }
  });

  it("[auth.off] a page of another web site is refused", async () => {
    const open = await start({ authOff: true, corsOrigins: [ORIGIN] });
    const own = new URL(open.url);
    const target = { baseUrl: open.url, apiKey: "" };
    const ask = async (headers: Record<string, string>, method = "POST") => {
      const path = method === "POST" ? "/streams/orders/compact" : "/streams";
      const call = { method, path, headers: { authorization: "", ...headers } };
      return (await send(target, call)).status;
    };
    try {
      await send(target, {
        method: "POST",
        path: "/streams",
        headers: { ...json, authorization: "" },
        body: '{"name":"orders"}',
      });
      for (const headers of [
        {},
        { origin: own.origin },
        { origin: `http://localhost:${own.port}`, host: `localhost:${own.port}` },
        { origin: own.origin, "sec-fetch-site": "same-origin" },
        { origin: ORIGIN, "sec-fetch-site": "cross-site" },
      ]) {
        expect(await ask(headers), JSON.stringify(headers)).toBe(200);
      }
      for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1", "http://x"]) {
        expect(await ask({ origin }), origin).toBe(401);
      }
      expect(await ask({ "sec-fetch-site": "none" }, "GET")).toBe(200);
      expect(await ask({ "sec-fetch-site": "cross-site" }, "GET")).toBe(401);
      expect(await ask({ "sec-fetch-site": "same-site" }, "GET")).toBe(401);
    } finally {
      await open.stop();
    }
  });

  it("[auth.off] the server refuses to start where other machines could reach it", async () => {
    await expect(start({ authOff: true, host: "0.0.0.0" })).rejects.toThrow(RangeError);
    for (const HOST of ["0.0.0.0", "::", "192.168.1.2", "127.0.0.1.example"]) {
      expect(() => readSettings({ HOST, EVENTLEDGER_AUTH: "off" })).toThrow(StackError);
    }
    expect(() => readSettings({ EVENTLEDGER_AUTH: "of" })).toThrow(StackError);
    expect(readSettings({ EVENTLEDGER_AUTH: "off" }).authOff).toBe(true);
    expect(readSettings({}).authOff).toBe(false);
  });
});
