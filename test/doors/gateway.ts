import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { LIMITS } from "@eventledger/protocol";
import type { HttpEvent, HttpResult } from "../../packages/functions/src/lambda/http-event.ts";
import type { EventRequest } from "../infra/http-event.ts";

type Gateway = { readonly url: string; stop(): Promise<void> };
type Handler = (event: HttpEvent) => Promise<HttpResult>;

/**
 * Starts an HTTP server that treats requests as AWS does: it converts each to an event and passes
 * the event to the function. It refuses a request or an answer that Lambda would not accept, with a
 * short message of its own.
 */
export async function startGateway(
  handler: Handler,
  eventOf: (request: EventRequest) => object,
): Promise<Gateway> {
  const server = http.createServer({ maxHeaderSize: 64 * 1_024 }, (incoming, outgoing) => {
    void answer(handler, eventOf, incoming).then(({ status, headers, body }) => {
      outgoing.writeHead(status, headers).end(incoming.method === "HEAD" ? undefined : body);
    });
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

async function answer(
  handler: Handler,
  eventOf: (request: EventRequest) => object,
  incoming: http.IncomingMessage,
): Promise<Answer> {
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
  if (Buffer.byteLength(event) > LIMITS.lambdaBytesMax)
    return bare(413, "Request Entity Too Large");
  const result = JSON.stringify(await handler(JSON.parse(event)));
  if (Buffer.byteLength(result) > LIMITS.lambdaBytesMax) return bare(500, "Internal Server Error");
  const { statusCode, headers: all, body: text, isBase64Encoded } = JSON.parse(result);
  const bytes = Buffer.from(text, isBase64Encoded ? "base64" : "utf8");
  const length = statusCode === 204 || statusCode === 304 ? {} : { "content-length": bytes.length };
  return { status: statusCode, headers: { ...all, ...length }, body: bytes };
}

const HOP_BY_HOP = new Set(["connection", "transfer-encoding", "expect", "keep-alive"]);

const bare = (status: number, message: string): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: Buffer.from(JSON.stringify({ message })),
});
