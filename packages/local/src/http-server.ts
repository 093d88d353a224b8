import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { builtConsole } from "@eventledger/console/built.ts";
import { LedgerError } from "@eventledger/core";
import { createApp } from "@eventledger/functions/http/app.ts";
import { BROWSER_HEADERS } from "@eventledger/functions/http/browser-headers.ts";
import { consoleFilesFrom } from "@eventledger/functions/http/console/files.ts";
import { docsAssetsFrom } from "@eventledger/functions/http/docs/assets.ts";
import { installedDocsFile } from "@eventledger/functions/http/docs/installed.ts";
import { type LogFailure, toProblemResponse } from "@eventledger/functions/http/problem.ts";
import { requestIdOf } from "@eventledger/functions/http/request-id.ts";
import { keepBackslashes } from "@eventledger/functions/http/request-target.ts";
import { isLoopback } from "@eventledger/functions/loopback.ts";
import { describeError } from "@eventledger/functions/metrics/log-line.ts";
import {
  PROMETHEUS_CONTENT_TYPE,
  printPrometheus,
} from "@eventledger/functions/metrics/prometheus.ts";
import { countProblems } from "@eventledger/functions/metrics/request-log.ts";
import type { OpenLedger } from "@eventledger/functions/open-ledger.ts";
import { getRequestListener, RequestError } from "@hono/node-server";
import { nodeDoor } from "./node-door.ts";
import { createNodeServer } from "./node-server.ts";

export type LocalServer = { readonly url: string; stop(): Promise<void> };

/** How long a stopping server waits for answers in progress. */
const STOP_TIMEOUT_MS = 3_000;
const CLOSE_EVERY_MS = 20;

/**
 * Serves the API on a Node server. Resolves once it listens. Rejects with the error of `listen`,
 * for instance when the port is taken. Without authentication it listens only on a loopback
 * address, and throws a RangeError for any other.
 */
export async function startServer(
  { ledger, authenticate, authOff, corsOrigins, portalAncestors, metrics }: OpenLedger,
  { host, port }: { host: string; port: number },
): Promise<LocalServer> {
  if (authOff && !isLoopback(host)) {
    throw new RangeError(
      "Without authentication, the server may listen only on a loopback address.",
    );
  }
  const app = createApp({
    ledger,
    authenticate,
    corsOrigins,
    portalAncestors,
    loadDocsAsset: docsAssetsFrom(installedDocsFile),
    loadConsoleFile: consoleFilesFrom(builtConsole),
    logFailure,
    onAnswered: countProblems(metrics),
  });
  const metricsPage = ({ headers }: Request) =>
    new Response(printPrometheus(metrics.readings()), {
      headers: {
        ...BROWSER_HEADERS,
        "Content-Type": PROMETHEUS_CONTENT_TYPE,
        "Cache-Control": "no-store",
        "X-Request-Id": requestIdOf(headers.get("x-request-id") ?? undefined),
      },
    });
  const answer = getRequestListener(
    (request, { incoming, outgoing }) =>
      isMetricsRequest(request, incoming.socket.remoteAddress)
        ? metricsPage(request)
        : app.fetch(request, nodeDoor(incoming as IncomingMessage, outgoing as ServerResponse)),
    { errorHandler: answerUnreadable, hostname: host },
  );
  const server = createNodeServer((incoming, outgoing) => {
    incoming.url = keepBackslashes(incoming.url ?? "");
    void answer(incoming, outgoing);
  });
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address;
  const stop = async () => {
    ledger.endWaits();
    await close(server);
    await ledger.flushUse({ all: true });
  };
  return { url: `http://${shownHost}:${address.port}`, stop };
}

/**
 * `GET /metrics` is not part of the API. It needs no key, so only programs on this machine may use
 * it, and only under a loopback host name: a web page that redirected its own name to this machine
 * is refused. Any other client gets a 404.
 */
function isMetricsRequest({ method, url }: Request, from = ""): boolean {
  const [, host = ""] = METRICS_URL.exec(url) ?? [];
  return method === "GET" && isLoopback(host) && LOOPBACK.test(from);
}

const METRICS_URL = /^http:\/\/([^/]+)\/metrics(\?|$)/;
const LOOPBACK = /^(::ffff:)?127\.|^::1$/;

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const limit = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS);
    // A connection becomes idle once its last answer is sent.
    const closing = setInterval(() => server.closeIdleConnections(), CLOSE_EVERY_MS);
    server.close(() => {
      clearTimeout(limit);
      clearInterval(closing);
      resolve();
    });
    server.closeIdleConnections();
  });

/** Answers bytes that are not a valid HTTP request, for example because the Host is invalid. */
function answerUnreadable(error: unknown): Response {
  const requestId = randomUUID();
  const detail = "The request target or the Host header is invalid.";
  const unreadable = new LedgerError("malformed-http", { detail, cause: error });
  const named = error instanceof RequestError ? unreadable : error;
  const response = toProblemResponse(named, requestId, logFailure);
  const headers = { ...BROWSER_HEADERS, "X-Request-Id": requestId };
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

const logFailure: LogFailure = ({ requestId, error }) => {
  console.error(JSON.stringify({ level: "error", requestId, ...describeError(error) }));
};
