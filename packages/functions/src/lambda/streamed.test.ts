import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { AppEnv } from "../http/env.ts";
import type { HttpHead } from "./http-event.ts";
import { createStreamedHandler } from "./streamed.ts";

const app = new Hono<AppEnv>()
  .get("/text", (c) => c.text("é".repeat(1_000), 200, { "Content-Length": "2000" }))
  .get("/large", (c) => c.body(LARGE))
  .get("/bytes", (c) => c.body(BYTES))
  .get("/cookies", () => new Response("a", { headers: [...COOKIES, ["X-One", "1"]] }))
  .get("/moved", (c) => c.redirect("/text"))
  .get("/none", (c) => c.body(null, 204))
  .get("/same", (c) => c.body(null, 304))
  .get("/lasts", (c) => c.text(String(c.env.streamsForMs)))
  .get("/breaks", (c) => c.body(breaking()));

const LARGE = Buffer.alloc(7_000_000, "large ");
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const COOKIES: [string, string][] = [
  ["Set-Cookie", "a=1, 2; Path=/"],
  ["Set-Cookie", "b=2"],
];

function breaking(): ReadableStream<Uint8Array> {
  let parts = 0;
  return new ReadableStream({
    pull(controller) {
      if (parts++ === 0) controller.enqueue(Buffer.from("a part"));
      else controller.error(new Error("broken"));
    },
  });
}

/** Calls a handler that streams, and returns what the runtime received. */
async function call(path: string, { method = "GET", leftMs = 89_000 } = {}) {
  let head: HttpHead | undefined;
  const sent: unknown[] = [];
  const stream = new PassThrough();
  const write = stream.write.bind(stream);
  stream.write = ((bytes: Uint8Array | string, ...rest: never[]) => {
    if (sent.length === 0) sent.push(head);
    sent.push(bytes);
    return write(bytes, ...rest);
  }) as typeof stream.write;
  const handler = createStreamedHandler(
    {
      streamifyResponse: (of) => of,
      HttpResponseStream: {
        from(of, before) {
          head = before;
          return of;
        },
      },
    },
    { app, onAnswered: () => {}, streamsForMs: 60_000 },
  );
  const context = { getRemainingTimeInMillis: () => leftMs, callbackWaitsForEmptyEventLoop: true };
  const reading = buffer(stream).catch(() => undefined);
  const event = {
    rawPath: path,
    rawQueryString: "",
    headers: {},
    isBase64Encoded: false,
    requestContext: { domainName: "x.lambda-url.example", http: { method } },
  };
  const failure = await handler(event, stream, context).then(
    () => undefined,
    (error: Error) => error,
  );
  return { head: sent[0] as HttpHead, body: await reading, failure, context };
}

describe("an answer that is streamed", () => {
  it("its status and headers are those of the app, without a length", async () => {
    const { head, body } = await call("/text");
    expect(head).toEqual({
      statusCode: 200,
      headers: { "content-type": "text/plain; charset=UTF-8" },
    });
    expect(body?.toString()).toBe("é".repeat(1_000));
  });

  it("its body is sent byte for byte, also beyond the limit of whole answers", async () => {
    expect((await call("/bytes")).body).toEqual(BYTES);
    expect((await call("/large")).body?.equals(LARGE)).toBe(true);
  });

  it("its cookies are apart from its headers", async () => {
    const { head } = await call("/cookies");
    expect(head.cookies).toEqual(["a=1, 2; Path=/", "b=2"]);
    expect(head.headers).toMatchObject({ "x-one": "1" });
    expect(head.headers).not.toHaveProperty("set-cookie");
  });

  it.each(["/none", "/same"])("%s has a head and no body", async (path) => {
    const { head, body, failure } = await call(path);
    expect([failure, head.statusCode, body?.length]).toEqual([
      undefined,
      path === "/none" ? 204 : 304,
      0,
    ]);
  });

  it("an answer to HEAD has the head of GET and no body", async () => {
    const { head, body } = await call("/text", { method: "HEAD" });
    expect(head).toEqual((await call("/text")).head);
    expect(body).toHaveLength(0);
  });

  it("a redirect has a line break as its body, because AWS waits for one", async () => {
    const { head, body } = await call("/moved");
    expect([head.statusCode, head.headers.location, body?.toString()]).toEqual([
      302,
      "/text",
      "\n",
    ]);
  });

  it("a body that breaks makes the call fail, so that the client sees no end", async () => {
    const { head, failure, body } = await call("/breaks");
    expect(head.statusCode).toBe(200);
    expect(failure?.message).toBe("broken");
    expect(body).toBeUndefined();
  });

  it("an event stream ends ten seconds before the call", async () => {
    expect((await call("/lasts")).body?.toString()).toBe("60000");
    expect((await call("/lasts", { leftMs: 29_000 })).body?.toString()).toBe("19000");
    expect((await call("/lasts", { leftMs: 3_000 })).body?.toString()).toBe("0");
  });

  it("the process takes the next request although timers and sockets are open", async () => {
    expect((await call("/text")).context.callbackWaitsForEmptyEventLoop).toBe(false);
  });
});
