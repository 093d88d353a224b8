import http from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { builtConsole } from "../../packages/console/build/built.ts";
import {
  createLedger,
  type Identity,
  type Objects,
  rootCaller,
  systemClock,
  systemRandom,
} from "../../packages/core/src/index.ts";
import { createApp } from "../../packages/functions/src/http/app.ts";
import { consoleFilesFrom } from "../../packages/functions/src/http/console/files.ts";
import { docsAssetsFrom } from "../../packages/functions/src/http/docs/assets.ts";
import { installedDocsFile } from "../../packages/functions/src/http/docs/installed.ts";
import { createHttpHandler } from "../../packages/functions/src/lambda/handler.ts";
import type { HttpEvent } from "../../packages/functions/src/lambda/http-event.ts";
import { createStreamedHandler } from "../../packages/functions/src/lambda/streamed.ts";
import { createMetrics } from "../../packages/functions/src/metrics/metrics.ts";
import type { Answered } from "../../packages/functions/src/metrics/request-log.ts";
import type { OpenLedger } from "../../packages/functions/src/open-ledger.ts";
import { createSeal } from "../../packages/functions/src/push/seal.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { type EventRequest, functionUrlEvent } from "../infra/http-event.ts";
import { createFakeDynamo } from "../simulation/dynamodb/fake-dynamodb.ts";
import { awslambda, startRuntime } from "./streaming-runtime.ts";

/**
 * The answer of an entry point. `sentBytes` is the size that Lambda receives, if there is a Lambda.
 */
export type DoorAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly sentBytes: number;
};

export type Door = {
  ask(request: EventRequest): Promise<DoorAnswer>;
  /** The log entries of the requests, in their order. */
  readonly log: readonly Answered[];
  close(): Promise<void>;
};

export const ADMIN_KEY = "the-admin-key-of-this-test";
const ROOT: Identity = { caller: rootCaller, noted: Promise.resolve() };

/**
 * Opens a ledger on a new table in memory, so that every entry point is tested with the same
 * product.
 */
export function openOnFake(corsOrigins: readonly string[] = [], objects?: Objects): OpenLedger {
  const fake = createFakeDynamo({ tableName: "doors", nowMs: Date.now });
  const ledger = createLedger({
    client: fake.client() as never,
    tableName: "doors",
    ...(objects === undefined ? {} : { objects }),
    push: {
      seal: createSeal("the-key-of-the-secrets-of-this-test"),
      deliver: async () => ({ kind: "unreachable", error: '"'.repeat(500) }),
      assertUrl: () => {},
    },
    clock: systemClock,
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from("the-cursor-key-of-this-test") }],
  });
  return {
    ledger,
    authenticate: async (key) => (key === ADMIN_KEY ? ROOT : ledger.access.identify(key ?? "")),
    authOff: false,
    corsOrigins,
    client: undefined as never,
    metrics: createMetrics(),
    close: () => ledger.endWaits(),
  };
}

/** Assembles the router's handler as its entry file does. */
export const openHandler = (opened: OpenLedger, log: Answered[] = []) =>
  createHttpHandler(partsOf(opened, log));

/** Assembles the router's handler as its entry file does when answers are streamed. */
export const openStreamedHandler = (opened: OpenLedger, log: Answered[] = []) =>
  createStreamedHandler(awslambda, { ...partsOf(opened, log), streamsForMs: 60_000 });

function partsOf({ ledger, authenticate, corsOrigins }: OpenLedger, log: Answered[]) {
  const logFailure = ({ error }: { error: unknown }) => console.error(error);
  const loadDocsAsset = docsAssetsFrom(installedDocsFile);
  const loadConsoleFile = consoleFilesFrom(builtConsole);
  return {
    app: createApp({
      ledger,
      authenticate,
      corsOrigins,
      loadDocsAsset,
      loadConsoleFile,
      logFailure,
    }),
    logFailure,
    onAnswered: (answered: Answered) => log.push(answered),
  };
}

/** Sends requests to the router's handler as events that `eventOf` creates. */
export function lambdaDoor(
  eventOf: (request: EventRequest) => object,
  opened: OpenLedger = openOnFake(),
): Door {
  const log: Answered[] = [];
  const handle = openHandler(opened, log);
  return {
    log,
    async ask(request) {
      // Lambda passes events and results as JSON.
      const event = JSON.parse(JSON.stringify(eventOf(withKey(request)))) as HttpEvent;
      const result = await handle(event);
      const bytes = Buffer.from(result.body, result.isBase64Encoded ? "base64" : "utf8");
      return {
        status: result.statusCode,
        headers: result.headers,
        text: unzipped(bytes, result.headers["content-encoding"]),
        sentBytes: Buffer.byteLength(JSON.stringify(result)),
      };
    },
    close: async () => opened.close(),
  };
}

/** Sends requests to the router's handler as a Function URL that streams does. */
export async function streamedDoor(opened: OpenLedger = openOnFake()): Promise<Door> {
  const log: Answered[] = [];
  const runtime = await startRuntime();
  const handle = openStreamedHandler(opened, log);
  return {
    log,
    async ask(request) {
      const event = JSON.parse(JSON.stringify(functionUrlEvent(withKey(request)))) as HttpEvent;
      const { head, body } = await runtime.call(handle, event);
      const bytes = await buffer(body);
      return {
        status: head.statusCode,
        headers: head.headers,
        text: unzipped(bytes, head.headers["content-encoding"]),
        sentBytes: bytes.length,
      };
    },
    close: async () => {
      opened.close();
      await runtime.stop();
    },
  };
}

/** Starts a Node server and sends requests to it over HTTP. */
export async function nodeDoor(opened: OpenLedger = openOnFake()): Promise<Door & { url: string }> {
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  return {
    url: server.url,
    log: [],
    ask: (request) => askNode(server.url, withKey(request)),
    close: async () => {
      opened.close();
      await server.stop();
    },
  };
}

const withKey = (request: EventRequest): EventRequest => ({
  ...request,
  headers: {
    authorization: `Bearer ${ADMIN_KEY}`,
    "content-type": "application/json",
    ...request.headers,
  },
});

const unzipped = (bytes: Buffer, encoding: string | undefined): string =>
  (encoding === "gzip" ? gunzipSync(bytes) : bytes).toString();

function askNode(url: string, request: EventRequest): Promise<DoorAnswer> {
  const { method, path, query = "", headers = {}, body } = request;
  const isPlain = typeof body === "string" || body instanceof Uint8Array;
  const content =
    body === undefined ? undefined : Buffer.from(isPlain ? body : JSON.stringify(body));
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = content === undefined ? {} : { "content-length": content.length };
    const asked = http.request(
      {
        hostname,
        port,
        method,
        agent: false,
        path: path + (query === "" ? "" : `?${query}`),
        headers: { ...headers, ...length },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const known = Object.entries(response.headers).map(([name, value]) => [
            name,
            String(value),
          ]);
          const all = Object.fromEntries(known) as Record<string, string>;
          const encoding = method === "HEAD" ? undefined : all["content-encoding"];
          const text = unzipped(bytes, encoding);
          resolve({
            status: response.statusCode ?? 0,
            headers: all,
            text,
            sentBytes: bytes.length,
          });
        });
      },
    );
    asked.on("error", reject);
    asked.end(content);
  });
}
