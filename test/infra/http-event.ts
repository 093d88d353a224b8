export interface EventRequest {
  method: string;
  /** The percent-encoded path, as in the request line. */
  path: string;
  query?: string;
  headers?: Record<string, string>;
  /** The body. Values that are neither text nor bytes are sent as JSON. */
  body?: unknown;
  /**
   * True sends the body in Base64 whatever its type, because AWS does not document which types it
   * treats as text.
   */
  asBase64?: boolean;
}

/**
 * Returns the event that an HTTP API with one `$default` route sends for a request: payload format
 * 2.0. It decodes the path and leaves the query unchanged. In captured events `/a%20b` is `/a b`,
 * `/a%2Fb` is `/a/b` and `/a%25b` is `/a%b`. Some reports say that `%25` stays encoded.
 */
export const apiGatewayEvent = (request: EventRequest) => {
  const event = payload2(request, "abc123.execute-api.eu-west-1.amazonaws.com");
  return { ...event, rawPath: decoded(request.path) };
};

/** Returns the event of a gateway that decodes everything except `%25`. */
export const apiGatewayKeepingPercent = (request: EventRequest) => {
  const path = request.path.replaceAll("%25", "%2525");
  return { ...apiGatewayEvent(request), rawPath: decoded(path) };
};

/**
 * Returns the event of a Function URL. The format is the same, but `rawPath` is the path of the
 * request line.
 */
export const functionUrlEvent = (request: EventRequest) =>
  payload2(request, "abc123.lambda-url.eu-west-1.on.aws");

/** Decodes a path. Bytes that are not UTF-8 become replacement characters. */
const decoded = (path: string): string =>
  path.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll("%", ""), "hex").toString(),
  );

function payload2(request: EventRequest, domainName: string) {
  const { method, path, query = "", headers = {} } = request;
  const { body } = request;
  const isPlain = body === undefined || typeof body === "string" || body instanceof Uint8Array;
  const type = isPlain ? {} : { "content-type": "application/json" };
  const all: Record<string, string> = { host: domainName, ...type, ...headers };
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: query,
    headers: all,
    requestContext: {
      accountId: "anonymous",
      apiId: "abc123",
      domainName,
      domainPrefix: "abc123",
      http: {
        method,
        path: decoded(path),
        protocol: "HTTP/1.1",
        sourceIp: "192.0.2.1",
        userAgent: "test",
      },
      requestId: crypto.randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: "24/Nov/2026:00:00:00 +0000",
      timeEpoch: Date.now(),
    },
    ...bodyOf(body, request.asBase64 ? "" : (all["content-type"] ?? "")),
  };
}

/** In captured events, bodies of these media types are text and all others are Base64. */
const TEXT = /^(text\/|application\/(json|xml|javascript)\s*(;|$))/;

function bodyOf(body: unknown, contentType: string) {
  if (body === undefined) return { isBase64Encoded: false };
  const isPlain = typeof body === "string" || body instanceof Uint8Array;
  const bytes = Buffer.from(isPlain ? body : JSON.stringify(body));
  return TEXT.test(contentType)
    ? { body: bytes.toString(), isBase64Encoded: false }
    : { body: bytes.toString("base64"), isBase64Encoded: true };
}
