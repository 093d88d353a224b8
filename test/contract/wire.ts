import http from "node:http";
import https from "node:https";
import { gunzipSync } from "node:zlib";
import { PROBLEMS, Problem, type ProblemCode, problemType } from "@eventledger/protocol";
import { expect } from "vitest";

/** The server under test: a local one or a deployed stage. */
export type Target = { readonly baseUrl: string; readonly apiKey: string };

export type Call = {
  readonly method?: string;
  /** The path is sent unchanged: neither normalised nor encoded. */
  readonly path: string;
  /** Headers that replace the usual ones. `authorization: ""` sends none. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** The body. A list is sent in chunks, without a length. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  /** Sends the body in chunks, without a length. */
  readonly chunked?: boolean;
};

export type Answer<T = unknown> = {
  readonly status: number;
  /** Returns the value of a header by its lower-case name, or an empty text. */
  readonly header: (name: string) => string;
  readonly text: string;
  /** The length of the body as it was transferred. */
  readonly bytes: number;
  readonly body: T;
};

/** Returns the headers and the body of a call that sends a value as JSON, or nothing. */
export const asJson = (value?: unknown): Pick<Call, "headers" | "body"> =>
  value === undefined
    ? {}
    : { headers: { "content-type": "application/json" }, body: JSON.stringify(value) };

/** The error with which a refused operation rejects. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly answer: Answer<Problem>;

  constructor(call: Call, answer: Answer<Problem>) {
    super(`${call.method ?? "GET"} ${call.path.slice(0, 120)}: ${answer.text.slice(0, 600)}`);
    this.answer = answer;
  }
}

/**
 * Sends one request over real HTTP and adds only the API key. Checks what every answer must have: a
 * request id, and for an error a complete problem.
 */
export async function send(target: Target, call: Call): Promise<Answer> {
  const { status, headers, text, bytes } = await exchange(target, call);
  const header = (name: string) => String(headers[name] ?? "");
  const isJson = /^application\/([a-z-]+\+)?json/.test(header("content-type"));
  const isHead = call.method === "HEAD";
  const body: unknown = isJson && !isHead ? JSON.parse(text) : text;
  const answer = { status, header, text, bytes, body };
  expect(header("x-request-id"), "X-Request-Id").toMatch(/^[A-Za-z0-9._-]{8,64}$/);
  if (isHead) expect(text).toBe("");
  else if (status >= 400) parseProblem(answer);
  return answer;
}

/**
 * Returns the problem with which an operation was refused. Fails when the operation succeeded or
 * was refused with another code.
 */
export async function refusal(running: Promise<unknown>, code: ProblemCode): Promise<Problem> {
  const outcome = await running.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in outcome)) {
    expect.fail(`was not refused: ${JSON.stringify(outcome.value).slice(0, 300)}`);
  }
  if (!(outcome.error instanceof Refused)) throw outcome.error;
  const { body } = outcome.error.answer;
  expect(body.code, body.detail).toBe(code);
  return body;
}

/** Parses a problem. Its code determines every other member by the protocol's table. */
export function parseProblem({ status, header, body, text }: Answer): Problem {
  expect(header("content-type"), text.slice(0, 200)).toBe("application/problem+json");
  expect(header("cache-control")).toBe("no-store");
  const problem = Problem.parse(body);
  const kind = PROBLEMS[problem.code];
  expect(problem).toMatchObject({
    type: problemType(problem.code),
    title: kind.title,
    status: kind.status,
    retry: kind.retry,
    instance: header("x-request-id"),
    detail: expect.stringMatching(/\S/),
  });
  expect(status).toBe(kind.status);
  if (kind.retry === "later") expect(header("retry-after")).toMatch(/^[1-9]\d*$/);
  if (status === 401) expect(header("www-authenticate")).toMatch(/^Bearer /);
  if (status === 405) expect(header("allow")).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
  if (status === 413) expect(Object.keys(problem).join()).toMatch(/Max/);
  if (problem.code === "invalid-request") expect(problem.errors).not.toEqual([]);
  for (const { pointer, detail } of problem.errors ?? []) {
    expect(pointer).toMatch(/^(\/([^~]|~[01])*)*$/);
    expect(detail).toMatch(/\S/);
  }
  return problem;
}

type Exchanged = {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  bytes: number;
};

function exchange({ baseUrl, apiKey }: Target, call: Call): Promise<Exchanged> {
  const { protocol, hostname, port, pathname } = new URL(baseUrl);
  const { authorization = `Bearer ${apiKey}`, ...headers } = call.headers ?? {};
  const content = Array.isArray(call.body) ? undefined : toBuffer(call.body);
  const client = protocol === "https:" ? https : http;
  const agent = client === https ? AGENTS.https : AGENTS.http;
  closeIdle(agent);
  return new Promise((resolve, reject) => {
    const request = client.request(
      {
        hostname: hostname.replace(/^\[|\]$/g, ""),
        port,
        method: call.method ?? "GET",
        path: pathname.replace(/\/$/, "") + call.path,
        agent,
        headers: {
          ...headers,
          ...(authorization === "" ? {} : { authorization: String(authorization) }),
          ...(content === undefined ? {} : lengthOf(content, call.chunked)),
        } as http.OutgoingHttpHeaders,
      },
      (response) => {
        const { socket } = response;
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status = 0, headers } = response;
          // When a server refuses a body, it may close the connection while the body arrives.
          if (status >= 400 && call.body !== undefined) socket.destroy();
          answeredAt.set(socket, performance.now());
          const bytes = Buffer.concat(chunks);
          const isGzip = headers["content-encoding"] === "gzip" && bytes.length > 0;
          const text = (isGzip ? gunzipSync(bytes) : bytes).toString();
          resolve({ status, headers, text, bytes: bytes.length });
        });
      },
    );
    request.on("error", reject);
    if (Array.isArray(call.body)) for (const piece of call.body) request.write(piece);
    request.end(content);
  });
}

const lengthOf = ({ length }: Uint8Array, chunked = false): http.OutgoingHttpHeaders =>
  chunked ? { "transfer-encoding": "chunked" } : { "content-length": length };

const toBuffer = (body: Call["body"]): Buffer | undefined =>
  typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : undefined;

const KEPT = { keepAlive: true, maxSockets: 32 };
const AGENTS = { http: new http.Agent(KEPT), https: new https.Agent(KEPT) };

/** When the last answer arrived on each connection. */
const answeredAt = new WeakMap<object, number>();
/**
 * The server closes a connection after 5 idle seconds. On a busy machine, the client may learn of
 * that late.
 */
const IDLE_MS = 2_000;

function closeIdle({ freeSockets }: http.Agent): void {
  for (const socket of Object.values(freeSockets).flatMap((free) => free ?? [])) {
    if (performance.now() - (answeredAt.get(socket) ?? 0) > IDLE_MS) socket.destroy();
  }
}
