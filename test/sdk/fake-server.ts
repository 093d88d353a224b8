import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";
import { fakeLedger } from "../../packages/sdk/src/testing/index.ts";
import type { Target } from "../contract/wire.ts";

/** Serves the SDK's fake over HTTP, so that the suites of the contract can use it. */
export async function openFake(): Promise<Target> {
  const fake = fakeLedger();
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { authorization, "idempotency-key": idempotencyKey } = request.headers;
    const answer = await fake.fetch(`http://fake${request.url}`, {
      method: request.method ?? "GET",
      headers: {
        Authorization: String(authorization),
        ...(idempotencyKey === undefined ? {} : { "Idempotency-Key": String(idempotencyKey) }),
      },
      ...(body === "" ? {} : { body }),
      signal: new AbortController().signal,
      redirect: "manual",
    });
    for (const name of HEADERS) {
      const value = answer.headers.get(name);
      if (value !== null) response.setHeader(name, value);
    }
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}`, apiKey: String(fake.options.apiKey) };
}

const HEADERS = [
  ...["content-type", "x-request-id", "retry-after", "cache-control", "www-authenticate"],
];
