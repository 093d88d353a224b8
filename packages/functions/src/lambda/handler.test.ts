import { Hono } from "hono";
import { expect, it } from "vitest";
import type { AppEnv } from "../http/env.ts";
import { createHttpHandler } from "./handler.ts";

const event = {
  rawPath: "/",
  rawQueryString: "",
  headers: {},
  isBase64Encoded: false,
  requestContext: { domainName: "x.example", http: { method: "GET" } },
};

/** Answers with so many bytes. */
const answering = (bytes: number, headers: Record<string, string>) =>
  createHttpHandler({
    app: new Hono<AppEnv>().get("/", (c) => c.body("é".repeat(bytes / 2), 200, headers)),
    logFailure: () => {},
    onAnswered: () => {},
  });

const HEADERS = {
  "Content-Type": "application/json",
  "Access-Control-Allow-Origin": "https://app.example",
  "X-Request-Id": "the-request",
  "EventLedger-Lag": "7",
  ETag: '"3"',
};

it("an answer over Lambda's limit is a problem with the headers of every answer", async () => {
  const small = await answering(1_000, HEADERS)(event);
  expect(small).toMatchObject({ statusCode: 200, headers: { etag: '"3"' } });
  const { statusCode, headers, body } = await answering(7_000_000, HEADERS)(event);
  expect([statusCode, JSON.parse(body).code]).toEqual([500, "internal"]);
  expect(JSON.parse(body).instance).toBe("the-request");
  expect(headers).toMatchObject({
    "content-type": "application/problem+json",
    "access-control-allow-origin": "https://app.example",
    "x-request-id": "the-request",
  });
  expect(headers).not.toHaveProperty("etag");
  expect(headers).not.toHaveProperty("eventledger-lag");
});
