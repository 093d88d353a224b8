import { randomUUID } from "node:crypto";
import { createServer, type RequestListener, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { PROBLEMS, type Problem, type ProblemCode, problemType } from "@eventledger/protocol";

/** Slow and idle connections are closed, so that they cannot use up the server. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** How often Node looks for those that are over their time. */
const CHECK_EVERY_MS = 1_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** Beyond this, whoever has kept the server waiting for a request the longest makes room. */
const CONNECTIONS_MAX = 1_024;

/** A Node server that slow, idle and malformed clients cannot take away from the others. */
export function createNodeServer(listener: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    listener,
  );
  keepRoom(server);
  server.on("clientError", answerClientError);
  return server;
}

/**
 * Caps the connections. A connection counts as waiting until a request has arrived on it whole, and
 * again from the answer on, so one that works is never closed for one that does not.
 */
function keepRoom(server: Server): void {
  const all = new Set<Socket>();
  const waiting = new Set<Socket>();
  server.on("connection", (socket) => {
    all.add(socket);
    waiting.add(socket);
    socket.once("close", () => {
      all.delete(socket);
      waiting.delete(socket);
    });
    if (all.size <= CONNECTIONS_MAX) return;
    const [longest = socket] = waiting;
    waiting.delete(longest);
    longest.destroy();
  });
  server.on("request", (request, response) => {
    const { socket } = request;
    request.once("end", () => waiting.delete(socket));
    response.once("close", () => {
      waiting.delete(socket);
      if (all.has(socket)) waiting.add(socket);
    });
  });
}

const CODES: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
  HPE_HEADER_OVERFLOW: "headers-too-large",
};

/**
 * What never became a request gets its answer here, as a problem like all others, and no more. Bytes
 * behind a whole request end the connection: their answer would be taken for the request's.
 */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket & AnsweringSocket): void {
  const pending = socket._httpMessage;
  if (!socket.writable || pending?.headersSent || pending?.req.complete) {
    socket.destroy();
    return;
  }
  const code = CODES[error.code ?? ""] ?? "malformed-http";
  const { status, title, retry } = PROBLEMS[code];
  const instance = randomUUID();
  const detail = DETAILS[code];
  const problem: Problem = {
    type: problemType(code),
    title,
    status,
    code,
    detail,
    instance,
    retry,
  };
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "Content-Type: application/problem+json",
      "Cache-Control: no-store",
      `X-Request-Id: ${instance}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
    () => socket.destroy(),
  );
}

/** Node's own mark of a socket on which an answer is under way. */
type AnsweringSocket = {
  readonly _httpMessage?: {
    readonly headersSent: boolean;
    readonly req: { readonly complete: boolean };
  } | null;
};

const DETAILS: Partial<Record<ProblemCode, string>> = {
  "request-timeout": `Send the headers within ${HEADERS_TIMEOUT_MS / 1_000} s and all of the request within ${REQUEST_TIMEOUT_MS / 1_000} s.`,
  "headers-too-large": `The request line and the headers may have ${HEADER_BYTES_MAX} bytes.`,
  "malformed-http": "The bytes received cannot be read as an HTTP/1.1 request.",
};
