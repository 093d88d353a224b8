import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { LIMITS } from "@eventledger/protocol";
import type { HttpEvent, HttpResult } from "../../packages/functions/src/lambda/http-event.ts";
import type { StreamedHandler } from "../../packages/functions/src/lambda/streamed.ts";
import { type EventRequest, functionUrlEvent } from "../infra/http-event.ts";
import { type Streamed, startRuntime } from "./streaming-runtime.ts";

type Gateway = { readonly url: string; stop(): Promise<void> };
type Handler = (event: HttpEvent) => Promise<HttpResult>;
type EventOf = (request: EventRequest) => object;

/**
 * Starts an HTTP server that treats requests as AWS does: it converts each to an event and passes
 * the event to the function. It refuses a request or an answer that Lambda would not accept, with a
 * short message of its own.
 */
export const startGateway = (handler: Handler, eventOf: EventOf): Promise<Gateway> =>
  serve(async (incoming, outgoing) => {
    const { status, headers, body } = await answer(handler, eventOf, incoming);
    outgoing.writeHead(status, headers).end(incoming.method === "HEAD" ? undefined : body);
  });

/**
 * Starts an HTTP server that is a Function URL with the invoke mode RESPONSE_STREAM. It sends on
 * each part of an answer as it comes.
 */
export async function startStreamingGateway(handler: StreamedHandler): Promise<Gateway> {
  const runtime = await startRuntime();
  const gateway = await serve(async (incoming, outgoing) => {
    const event = await eventFrom(incoming, functionUrlEvent);
    if (event === undefined) return end(outgoing, bare(413, "Request Entity Too Large"));
    const streamed = await runtime.call(handler, event).catch(() => undefined);
    if (streamed === undefined) return end(outgoing, bare(502, "Internal Server Error"));
    sendOn(streamed, incoming.method === "HEAD", outgoing);
  });
  const stop = async () => {
    await gateway.stop();
    await runtime.stop();
  };
  return { url: gateway.url, stop };
}

/** Sends a streamed answer to the client. The function does not learn that a client has gone. */
function sendOn({ head, body }: Streamed, isHead: boolean, outgoing: http.ServerResponse): void {
  const { statusCode, headers, cookies = [] } = head;
  const { "content-length": length, ...rest } = headers;
  outgoing.writeHead(statusCode, {
    ...rest,
    // AWS sends the answer in chunks, and renames this header.
    ...(length === undefined ? {} : { "x-amzn-remapped-content-length": length }),
    ...(cookies.length === 0 ? {} : { "set-cookie": [...cookies] }),
  });
  outgoing.flushHeaders();
  const isBodiless = isHead || statusCode === 204 || statusCode === 304;
  let bytes = 0;
  body.on("data", (part: Buffer) => {
    bytes += part.length;
    if (!isBodiless && !outgoing.destroyed) outgoing.write(part);
  });
  // An answer that could have a body and has none is left open by AWS.
  body.on("end", () => (isBodiless || bytes > 0) && outgoing.end());
  body.on("error", () => outgoing.destroy());
}

type Answering = (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => Promise<void>;

async function serve(answering: Answering): Promise<Gateway> {
  const server = http.createServer({ maxHeaderSize: 64 * 1_024 }, (incoming, outgoing) => {
    void answering(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, stop };
}

type Answer = { status: number; headers: Record<string, string>; body: Buffer };

const end = (outgoing: http.ServerResponse, { status, headers, body }: Answer): void => {
  outgoing.writeHead(status, headers).end(body);
};

async function answer(
  handler: Handler,
  eventOf: EventOf,
  incoming: http.IncomingMessage,
): Promise<Answer> {
  const event = await eventFrom(incoming, eventOf);
  if (event === undefined) return bare(413, "Request Entity Too Large");
  const result = JSON.stringify(await handler(event));
  if (Buffer.byteLength(result) > LIMITS.lambdaBytesMax) return bare(500, "Internal Server Error");
  const { statusCode, headers: all, body: text, isBase64Encoded } = JSON.parse(result);
  const bytes = Buffer.from(text, isBase64Encoded ? "base64" : "utf8");
  const length = statusCode === 204 || statusCode === 304 ? {} : { "content-length": bytes.length };
  return { status: statusCode, headers: { ...all, ...length }, body: bytes };
}

/** Returns the event of a request. Returns undefined when it is too large for Lambda. */
async function eventFrom(
  incoming: http.IncomingMessage,
  eventOf: EventOf,
): Promise<HttpEvent | undefined> {
  const body = await buffer(incoming);
  const [path = "", ...query] = (incoming.url ?? "").split("?");
  const headers: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(incoming.headersDistinct)) {
    if (!HOP_BY_HOP.has(name)) headers[name] = values.join(",");
  }
  const event = JSON.stringify(
    eventOf({
      method: incoming.method ?? "",
      path,
      query: query.join("?"),
      headers,
      ...(body.length === 0 ? {} : { body }),
    }),
  );
  return Buffer.byteLength(event) > LIMITS.lambdaBytesMax ? undefined : JSON.parse(event);
}

const HOP_BY_HOP = new Set(["connection", "transfer-encoding", "expect", "keep-alive"]);

const bare = (status: number, message: string): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: Buffer.from(JSON.stringify({ message })),
});
