import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import { BROWSER_HEADERS } from "@eventledger/functions/http/browser-headers.ts";
import {
  LIMITS,
  PROBLEMS,
  type Problem,
  type ProblemCode,
  problemType,
} from "@eventledger/protocol";

/** Slow and idle connections are closed, so that they cannot use up the server. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** The interval between timeout checks. */
const CHECK_EVERY_MS = 1_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** The number of bytes of a useless body that are read and discarded. */
const DISCARDED_BYTES_MAX = 8 * LIMITS.requestBytesMax;

type Caps = {
  /** The limit on connections. Beyond it, the connection that has been idle longest is closed. */
  readonly connectionsMax?: number;
  /** A connection is closed when its client has taken nothing of an answer for this long. */
  readonly unreadMs?: number;
};

/** Creates a Node server that slow, idle and malformed clients cannot block for other clients. */
export function createNodeServer(
  listener: RequestListener,
  { connectionsMax = 1_024, unreadMs = 30_000 }: Caps = {},
): Server {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      // Node would refuse a request without Host with a message of its own.
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      if (lacksHost(incoming)) answerProblem(outgoing, "malformed-http", HOST_MISSING);
      else if (hasUselessBody(incoming)) afterBody(incoming, () => listener(incoming, outgoing));
      else listener(incoming, outgoing);
    },
  );
  const connections = keepConnections(server);
  server.on("connection", () => {
    if (connections.size > connectionsMax) longestWaiting(connections)?.destroy();
  });
  const checking = setInterval(() => closeUnread(connections, unreadMs), CHECK_EVERY_MS).unref();
  server.once("close", () => clearInterval(checking));
  server.on("clientError", answerClientError);
  server.on("checkContinue", (incoming, outgoing) => {
    heldBack.add(incoming);
    server.emit("request", incoming, outgoing);
  });
  server.on("checkExpectation", (_, outgoing) => {
    answerProblem(outgoing, "expectation-failed", EXPECTATION_UNKNOWN);
  });
  return server;
}

const heldBack = new WeakSet<IncomingMessage>();

/** Returns whether the client waits for `100 Continue` before it sends the body. */
export const takesBack = (incoming: IncomingMessage): boolean => heldBack.has(incoming);

/** HTTP/1.0 has no Host header. */
const lacksHost = ({ headers, httpVersion }: IncomingMessage): boolean =>
  headers.host === undefined && httpVersion !== "1.0";

/** No route reads the body of a GET, and Node keeps none of it for the app. */
const hasUselessBody = (incoming: IncomingMessage): boolean =>
  (incoming.method === "GET" || incoming.method === "HEAD") &&
  (incoming.headers["transfer-encoding"] !== undefined ||
    Number(incoming.headers["content-length"] ?? 0) > 0) &&
  !takesBack(incoming);

/**
 * Reads and discards a body, up to a bound, before the request is answered. Otherwise a client that
 * wants the connection closed may lose the answer, because its unread bytes reset the connection.
 */
function afterBody(incoming: IncomingMessage, answer: () => void): void {
  let bytes = 0;
  const goOn = () => {
    incoming.off("data", count).off("end", goOn);
    answer();
  };
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) goOn();
  };
  incoming.on("data", count).on("end", goOn);
}

const HOST_MISSING = "An HTTP/1.1 request must have a Host header.";
const EXPECTATION_UNKNOWN = "The only supported value of Expect is `100-continue`.";

type Connection = {
  /** The number of requests that are not completely answered. */
  underWay: number;
  /** The last request, whose body may still be arriving. */
  request?: IncomingMessage;
  /** How many bytes had left for the client when it last read something, and when that was. */
  sent: number;
  sentAtMs: number;
};

/** Returns a map of all connections that keeps those idle longest first. */
function keepConnections(server: Server): ReadonlyMap<Socket, Connection> {
  const connections = new Map<Socket, Connection>();
  server.on("connection", (socket) => {
    connections.set(socket, { underWay: 0, sent: 0, sentAtMs: performance.now() });
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined) return;
    connection.underWay++;
    connection.request = request;
    response.once("close", () => {
      connection.underWay--;
      if (connections.delete(socket)) connections.set(socket, connection);
    });
  });
  return connections;
}

/**
 * Returns the connection that has been idle longest, or undefined. A connection is idle unless a
 * whole request has arrived on it and is not answered yet. A GET counts as whole even when its body
 * was not read.
 */
function longestWaiting(connections: ReadonlyMap<Socket, Connection>): Socket | undefined {
  for (const [socket, { underWay, request }] of connections) {
    if (underWay === 0 || request?.complete !== true) return socket;
  }
  return undefined;
}

/**
 * Closes connections whose clients do not read what is sent to them, because unread answers use
 * memory. The clock does not run while there is nothing to read, as during a long poll.
 */
function closeUnread(connections: ReadonlyMap<Socket, Connection>, unreadMs: number): void {
  const now = performance.now();
  for (const [socket, connection] of connections) {
    const { bytesWritten = 0, writeQueueSize = 0 } = (socket as SendingSocket)._handle ?? {};
    const sent = bytesWritten - writeQueueSize;
    const isStuck = sent === connection.sent && socket.writableLength + writeQueueSize > 0;
    if (!isStuck) {
      connection.sent = sent;
      connection.sentAtMs = now;
    } else if (now - connection.sentAtMs > unreadMs) {
      socket.destroy();
    }
  }
}

/** Node's count of the bytes that it was given to send and of those that have not left yet. */
type SendingSocket = Socket & {
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null;
};

const CODES: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
  HPE_HEADER_OVERFLOW: "headers-too-large",
};

/**
 * Answers bytes that never became a request with a problem, and closes the connection. When the
 * bytes follow a complete request, it only closes the connection: the client would take a problem
 * for the answer to that request.
 */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket & AnsweringSocket): void {
  const pending = socket._httpMessage;
  if (!socket.writable || pending?.headersSent || pending?.req.complete) {
    socket.destroy();
    return;
  }
  const code = CODES[error.code ?? ""] ?? "malformed-http";
  const { status, headers, body } = printProblem(code, DETAILS[code] ?? `${PROBLEMS[code].title}.`);
  const lines = Object.entries(headers).map((header) => header.join(": "));
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n"), () =>
    socket.destroy(),
  );
}

/**
 * Answers a request that the app never receives, and closes the connection, because the request's
 * body may still be arriving.
 */
function answerProblem(outgoing: ServerResponse, code: ProblemCode, detail: string): void {
  const { status, headers, body } = printProblem(code, detail);
  outgoing.writeHead(status, headers).end(body);
}

function printProblem(code: ProblemCode, detail: string) {
  const { status, title, retry } = PROBLEMS[code];
  const instance = randomUUID();
  const type = problemType(code);
  const problem: Problem = { type, title, status, code, detail, instance, retry };
  const body = JSON.stringify(problem);
  const headers = {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    "X-Request-Id": instance,
    ...BROWSER_HEADERS,
    "Content-Length": String(Buffer.byteLength(body)),
    Connection: "close",
  };
  return { status, headers, body };
}

/** The property by which Node marks a socket whose answer is in progress. */
type AnsweringSocket = {
  readonly _httpMessage?: {
    readonly headersSent: boolean;
    readonly req: { readonly complete: boolean };
  } | null;
};

const DETAILS: Partial<Record<ProblemCode, string>> = {
  "request-timeout": `Send the headers within ${HEADERS_TIMEOUT_MS / 1_000} s and the whole request within ${REQUEST_TIMEOUT_MS / 1_000} s.`,
  "headers-too-large": `The request line and the headers together may have at most ${HEADER_BYTES_MAX} bytes.`,
  "malformed-http": "The bytes received cannot be read as an HTTP/1.1 request.",
};
