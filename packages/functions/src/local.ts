import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./http/app.ts";
import { docsAssetsFrom, installedDocsFolder } from "./http/docs/assets.ts";
import type { LogFailure } from "./http/problem.ts";
import type { OpenLedger } from "./open-ledger.ts";

export type LocalServer = { readonly url: string; stop(): Promise<void> };

/** Slow and idle connections are closed, so that they cannot use up the server. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const HEADER_BYTES_MAX = 16 * 1024;

/**
 * Serves the API on a Node server. Resolves once it listens; rejects with the error of `listen`, for
 * instance when the port is taken.
 */
export async function startServer(
  { ledger, authenticate }: OpenLedger,
  { host, port }: { host: string; port: number },
): Promise<LocalServer> {
  const app = createApp({
    ledger,
    authenticate,
    loadDocsAsset: docsAssetsFrom(installedDocsFolder),
    logFailure,
  });
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    getRequestListener(app.fetch),
  );
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return { url: `http://${shownHost}:${address.port}`, stop: () => close(server) };
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });

const logFailure: LogFailure = ({ requestId, error }) => {
  console.error(JSON.stringify({ level: "error", requestId, ...describe(error) }));
};

const describe = (error: unknown): object =>
  error instanceof Error
    ? {
        error: error.name,
        message: error.message,
        cause: String(error.cause ?? ""),
        stack: error.stack,
      }
    : { error: String(error) };
