import {
  type ClientRequest,
  Agent as HttpAgent,
  request as http,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as https } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import type { Delivery, PushAnswer } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import { PrivateAddress, publicLookup, type Reach, wrongUrl } from "./address.ts";
import { compose } from "./compose.ts";

export type DeliverOptions = {
  readonly reach: Reach;
  readonly now?: () => Date;
  /** Resolves names. Only for tests. */
  readonly lookup?: LookupFunction;
};

const SOCKETS_PER_HOST = 64;
const IDLE_SOCKET_MS = 4_000;

/**
 * Returns a function that sends deliveries. It follows no redirects, reads 4 KiB of an answer, and
 * connects only to addresses that it has checked.
 */
export function createDeliver({ reach, now = () => new Date(), lookup }: DeliverOptions) {
  const pool = { keepAlive: true, maxSockets: SOCKETS_PER_HOST, timeout: IDLE_SOCKET_MS };
  const agents = { "http:": new HttpAgent(pool), "https:": new HttpsAgent(pool) };
  const checked = lookup ?? (reach === "public" ? publicLookup() : undefined);

  /** Sends a delivery once, on a connection of the pool or on a new one. */
  const attempt = async (delivery: Delivery, isNew = false): Promise<PushAnswer> => {
    const url = new URL(delivery.url);
    const isHttps = url.protocol === "https:";
    const agent = isHttps ? agents["https:"] : agents["http:"];
    const { headers, body } = compose(delivery, now());
    const ending = AbortSignal.timeout(delivery.timeoutMs);
    const sent = (isHttps ? https : http)(url, {
      method: "POST",
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      agent: isNew ? false : agent,
      signal: ending,
      ...(checked === undefined ? {} : { lookup: checked }),
    });
    const isSent = connectionOf(sent, isHttps);
    try {
      sent.end(body);
      return await answerOf(sent);
    } catch (error) {
      // The endpoint may have closed an idle connection at this moment.
      if (sent.reusedSocket && codeOf(error) === "ECONNRESET") return attempt(delivery, true);
      const text = describe(error, ending, delivery.timeoutMs);
      return { kind: "unreachable", error: text, isSent: isSent() };
    }
  };

  const deliver = async (delivery: Delivery): Promise<PushAnswer> => {
    const wrong = wrongUrl(delivery.url, reach);
    return wrong === undefined
      ? attempt(delivery)
      : { kind: "unreachable", error: `The URL ${wrong}.` };
  };

  return {
    deliver,
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** The sockets of the pool that have a connection. */
const connected = new WeakSet<Socket>();

/** Returns a function that says whether a request has a connection to its endpoint. */
function connectionOf(sent: ClientRequest, isHttps: boolean): () => boolean {
  let own: Socket | undefined;
  sent.once("socket", (socket) => {
    own = socket;
    if (connected.has(socket)) return;
    const connect = () => connected.add(socket);
    const name = isHttps ? "secureConnect" : "connect";
    socket.once(name, connect);
    sent.once("close", () => socket.off(name, connect));
  });
  return () => own !== undefined && connected.has(own);
}

const answerOf = (sent: ClientRequest): Promise<PushAnswer> =>
  new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      readStart(response).then(
        (text) =>
          resolve({
            kind: "answered",
            status: response.statusCode ?? 0,
            retryAfterMs: retryAfterMs(response.headers["retry-after"]),
            text,
          }),
        reject,
      );
    });
  });

/** Reads the beginning of a body and no more, so an endless body does not hold the connection. */
async function readStart(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size >= LIMITS.pushAnswerBytesRead) break;
  }
  const text = Buffer.concat(pieces).subarray(0, LIMITS.pushAnswerBytesRead).toString();
  return text.replace(/\p{Cc}+/gu, " ").trim();
}

/** Parses a number of seconds or an HTTP date. */
export function retryAfterMs(text: string | undefined, nowMs = Date.now()): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1_000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function describe(error: unknown, ending: AbortSignal, timeoutMs: number): string {
  if (ending.aborted) return `The endpoint did not answer within ${timeoutMs / 1_000} s.`;
  if (error instanceof PrivateAddress) return error.message;
  const code = codeOf(error);
  return `The endpoint cannot be reached${typeof code === "string" ? `: ${code}` : ""}.`;
}

const codeOf = (error: unknown): unknown =>
  (error as { readonly code?: unknown } | undefined)?.code;
