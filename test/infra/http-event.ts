interface Request {
  method: string;
  path: string;
  query?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** What an HTTP API with one `$default` route sends for a request: payload format 2.0. */
export const apiGatewayEvent = (request: Request) =>
  payload2(request, "abc123.execute-api.eu-west-1.amazonaws.com");

/**
 * What a Function URL sends: the same format, another host, and JSON in base64 when it is not
 * text.
 */
export const functionUrlEvent = (request: Request) => ({
  ...payload2(request, "abc123.lambda-url.eu-west-1.on.aws"),
  body: Buffer.from(JSON.stringify(request.body ?? "")).toString("base64"),
  isBase64Encoded: true,
  ...(request.body === undefined ? { body: undefined, isBase64Encoded: false } : {}),
});

function payload2({ method, path, query = "", headers = {}, body }: Request, domainName: string) {
  const all = { host: domainName, "content-type": "application/json", ...headers };
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
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "test" },
      requestId: crypto.randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: "24/Nov/2026:00:00:00 +0000",
      timeEpoch: Date.now(),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
