import { isUtf8 } from "node:buffer";
import { LIMITS } from "@eventledger/protocol";
import {
  apiGatewayEvent,
  apiGatewayKeepingPercent,
  type EventRequest,
  functionUrlEvent,
} from "../../infra/http-event.ts";
import { joinedHeaders, splitTarget, type WireRequest } from "./wire-request.ts";

export type Gateway = {
  readonly name: string;
  /** Returns the path that the function receives. If absent, the path is unchanged. */
  readonly decode?: (path: string) => string;
  readonly eventOf: (request: EventRequest) => object;
  /** Whether its answers are streamed. */
  readonly streams?: boolean;
};

const decoderOf = (eventOf: (request: EventRequest) => { rawPath: string }) => (path: string) =>
  eventOf({ method: "GET", path }).rawPath;

/** The AWS entry points, and an HTTP API that keeps `%25` encoded, as some do. */
export const GATEWAYS: readonly Gateway[] = [
  { name: "a Function URL", eventOf: functionUrlEvent, streams: true },
  { name: "an HTTP API", eventOf: apiGatewayEvent, decode: decoderOf(apiGatewayEvent) },
  {
    name: "an HTTP API that keeps %25",
    eventOf: apiGatewayKeepingPercent,
    decode: decoderOf(apiGatewayKeepingPercent),
  },
];

/**
 * Returns the event for a request. Returns undefined when AWS itself refuses the request, because
 * the event would be too large for Lambda.
 */
export function eventFor(
  { eventOf }: Gateway,
  request: WireRequest,
  form: "by type" | "base64",
): object | undefined {
  const { method, target, body } = request;
  const event = eventOf({
    method,
    ...splitTarget(target),
    headers: headersFor(request),
    ...(body === undefined ? {} : { body, asBase64: form === "base64" }),
  });
  return Buffer.byteLength(JSON.stringify(event)) > LIMITS.lambdaBytesMax ? undefined : event;
}

/**
 * Returns the headers as text. Hop-by-hop headers end at the gateway. It adds the origin of the
 * request, and the length of a chunked body.
 */
function headersFor(request: WireRequest): Record<string, string> {
  const own = Object.entries(joinedHeaders(request)).filter(([name]) => !ONE_HOP.has(name));
  const { body } = request;
  return {
    ...Object.fromEntries(own.map(([name, value]) => [name, asText(value)])),
    ...(body === undefined ? {} : { "content-length": String(body.length) }),
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
    "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
  };
}

const ONE_HOP = new Set(["connection", "expect", "host", "keep-alive", "transfer-encoding"]);

const asText = (value: string): string => {
  const bytes = Buffer.from(value, "latin1");
  return isUtf8(bytes) ? bytes.toString() : value;
};
