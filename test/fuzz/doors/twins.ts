import http from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { LIMITS } from "@eventledger/protocol";
import { expect } from "vitest";
import { createLedger, type Identity, rootCaller } from "../../../packages/core/src/index.ts";
import type { HttpEvent } from "../../../packages/functions/src/lambda/http-event.ts";
import { createMetrics } from "../../../packages/functions/src/metrics/metrics.ts";
import type { OpenLedger } from "../../../packages/functions/src/open-ledger.ts";
import { createSeal } from "../../../packages/functions/src/push/seal.ts";
import { startServer } from "../../../packages/local/src/http-server.ts";
import { ADMIN_KEY, openHandler, openStreamedHandler } from "../../doors/doors.ts";
import { startRuntime } from "../../doors/streaming-runtime.ts";
import { createFakeDynamo } from "../../simulation/dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { createFakeObjects } from "../../simulation/objects/fake-objects.ts";
import { joinedHeaders, type WireRequest } from "./wire-request.ts";

/** The part of an answer that a client sees. */
export type Seen = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

/** The time of all twins. It advances only between requests. */
export type SharedTime = { ms: number };

/**
 * Opens a ledger on its own table in memory. Twins draw the same random numbers and see the same
 * time. The same requests in the same order therefore write the same rows and get the same answers,
 * byte for byte. `begin` is called before each request: the numbers of a request depend on its time
 * alone, because some entry points get a request more than others.
 */
function openTwin(time: SharedTime): OpenLedger & { begin(): void } {
  let random = seededRandom("twin");
  const fake = createFakeDynamo({ tableName: "twin", nowMs: () => time.ms });
  const bucket = createFakeObjects({ seed: 1, nowMs: () => time.ms });
  const ledger = createLedger({
    client: fake.client() as never,
    tableName: "twin",
    clock: {
      now: () => time.ms,
      monotonic: () => time.ms,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, ms);
          signal?.addEventListener("abort", () => {
            clearTimeout(timer);
            resolve();
          });
        }),
    },
    random: { fraction: () => random.fraction(), bytes: (count) => random.bytes(count) },
    objects: bucket.objects(),
    push: {
      seal: createSeal("the-key-of-the-secrets-of-all-twins"),
      deliver: async () => ({ kind: "answered", status: 204, text: "" }),
      assertUrl: () => {},
    },
    cursorKeys: [{ id: 1, secret: Buffer.from("the-cursor-key-of-all-twins") }],
    // No time passes during a request, so a waiting poll would never end.
    waitSecondsMax: 0,
  });
  return {
    ledger,
    authenticate: async (key) => (key === ADMIN_KEY ? ROOT : ledger.access.identify(key ?? "")),
    authOff: false,
    corsOrigins: ["https://app.example.com"],
    client: undefined as never,
    metrics: createMetrics(),
    close: () => ledger.endWaits(),
    begin() {
      random = seededRandom(`twin ${time.ms}`);
    },
  };
}

const ROOT: Identity = { caller: rootCaller, noted: Promise.resolve() };

/** Opens a twin that answers on a Node server. */
export async function openNodeTwin(time: SharedTime) {
  const opened = openTwin(time);
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  return {
    ask(request: WireRequest): Promise<Seen> {
      opened.begin();
      return askServer(new URL(server.url), request);
    },
    close: async () => {
      opened.close();
      await server.stop();
    },
  };
}

/** A twin that answers the events that AWS creates from requests. */
export type LambdaTwin = { ask(event: object): Promise<Seen>; close(): Promise<void> };

/** Opens a twin whose answers are sent as a whole. */
export function openLambdaTwin(time: SharedTime): LambdaTwin {
  const opened = openTwin(time);
  const handle = openHandler(opened);
  return {
    async ask(event) {
      opened.begin();
      const text = JSON.stringify(await handle(copyOf(event)));
      const { length } = Buffer.from(text);
      if (length > LIMITS.lambdaBytesMax) throw new Error(`Lambda takes no result of ${length}`);
      const result = JSON.parse(text);
      const bytes = Buffer.from(result.body, result.isBase64Encoded ? "base64" : "utf8");
      return seen(result.statusCode, result.headers, isHead(event) ? Buffer.alloc(0) : bytes);
    },
    close: async () => opened.close(),
  };
}

/** Opens a twin whose answers are streamed. */
export async function openStreamedTwin(time: SharedTime): Promise<LambdaTwin> {
  const opened = openTwin(time);
  const handle = openStreamedHandler(opened);
  const runtime = await startRuntime();
  return {
    async ask(event) {
      opened.begin();
      const { head, body } = await runtime.call(handle, copyOf(event));
      const bytes = await buffer(body);
      if (isHead(event)) expect(bytes).toHaveLength(0);
      const { location } = head.headers;
      return seen(head.statusCode, head.headers, location === undefined ? bytes : trimmed(bytes));
    },
    close: async () => {
      opened.close();
      await runtime.stop();
    },
  };
}

/** A redirect that is streamed has a line break as its body. */
const trimmed = (bytes: Buffer): Buffer => (bytes.toString() === "\n" ? Buffer.alloc(0) : bytes);

/** Lambda passes events as JSON. */
const copyOf = (event: object): HttpEvent => JSON.parse(JSON.stringify(event));

const isHead = (event: object): boolean =>
  (event as HttpEvent).requestContext.http.method === "HEAD";

const seen = (status: number, headers: Record<string, string>, bytes: Buffer): Seen => ({
  status,
  headers,
  text: (headers["content-encoding"] === "gzip" && bytes.length > 0
    ? gunzipSync(bytes)
    : bytes
  ).toString(),
});

function askServer({ host, hostname, port }: URL, request: WireRequest): Promise<Seen> {
  const { method, target, headers, body, chunked } = request;
  const isSent = joinedHeaders(request);
  const framing =
    body === undefined || "content-length" in isSent
      ? []
      : chunked
        ? ["Transfer-Encoding", "chunked"]
        : ["Content-Length", String(body.length)];
  return new Promise((resolve, reject) => {
    const asked = http.request(
      {
        agent: false,
        hostname,
        port,
        method,
        path: target,
        headers: ["Host", host, ...headers.flat(), ...framing],
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const all = Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          );
          resolve(seen(response.statusCode ?? 0, all, Buffer.concat(chunks)));
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}
