import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback } from "@eventledger/functions/loopback.ts";
import { createNodeServer, takesBack } from "../node-server.ts";
import { openObjectFiles } from "./object-files.ts";
import { operate, type S3Answer } from "./operations.ts";
import { accessDenied, S3Error } from "./s3-error.ts";
import { assertSigned } from "./signature.ts";
import { keepInMemory } from "./stored-object.ts";
import { printXml } from "./xml.ts";

export type S3ServerOptions = {
  readonly bucket: string;
  /** The folder of the objects. If absent, they are in memory. */
  readonly folder?: string | undefined;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Returns whether the disk has room for this many more bytes. */
  readonly hasRoomFor?: (bytes: number) => Promise<boolean>;
  /** If absent, a free port. */
  readonly port?: number;
  /** If absent, the time of this machine. */
  readonly nowMs?: () => number;
};

export type S3Server = { readonly endpoint: string; stop(): Promise<void> };

/** The largest body. Objects of the archive have a few megabytes. */
const BODY_BYTES_MAX = 128 * 1024 * 1024;

/**
 * Serves one bucket over the API of S3 on a loopback address: PutObject, GetObject, HeadObject,
 * DeleteObject, DeleteObjects and ListObjectsV2, with conditional writes, checksums, ranges, object
 * lock and signed URLs. It answers `NotImplemented` to everything else. A write is durable before
 * it is answered. A bucket has one version of each object. Where AWS would keep a former version,
 * or hide it with a delete marker, this server refuses the request while the object is locked, and
 * discards the object otherwise.
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { bucket, folder, credentials, port = 0, nowMs = Date.now } = options;
  const { hasRoomFor = async () => true } = options;
  const store = folder === undefined ? keepInMemory() : await openObjectFiles(folder);

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<S3Answer> => {
    const { method = "", url = "", headers: sent } = incoming;
    const headers = sent as Readonly<Record<string, string | undefined>>;
    // A web page may have redirected its own name to this machine.
    if (!isLoopback(headers.host ?? "")) throw accessDenied("Only a loopback host is served.");
    const [path = "", search = ""] = url.split(/\?(.*)/s);
    const query = search === "" ? [] : search.split("&").map(toParameter);
    assertSigned({ method, path, query, headers }, credentials, nowMs());
    const [, name = "", key = ""] = path.split(/^\/([^/]*)\/?/);
    if (decodeURIComponent(name) !== bucket) {
      throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    // The SDK sends a large body 6 s later unless it is asked for it.
    if (takesBack(incoming)) outgoing.writeContinue();
    const body = await readBody(incoming);
    if (method === "PUT" && !(await hasRoomFor(body.length))) {
      throw new S3Error(503, "SlowDown", "The disk of the local archive is full.");
    }
    const request = { method, key: decodeURIComponent(key), headers, body };
    return operate({ store, bucket, nowMs }, { ...request, query: new URLSearchParams(search) });
  };

  const server = createNodeServer((incoming, outgoing) => {
    answer(incoming, outgoing)
      .catch(toErrorAnswer)
      .then((given) => send(incoming, outgoing, given))
      .catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const { port: found } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${found}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), STOP_MS).unref();
      }),
  };
}

const STOP_MS = 2_000;

const toParameter = (text: string) => {
  const [name = "", value = ""] = text.split(/=(.*)/s);
  return [name, value] as const;
};

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new S3Error(400, "EntityTooLarge");
    parts.push(part);
  }
  const { "content-length": length } = incoming.headers;
  if (length !== undefined && Number(length) !== bytes) throw new S3Error(400, "IncompleteBody");
  return Buffer.concat(parts);
}

function toErrorAnswer(error: unknown): S3Answer {
  const known = error instanceof S3Error ? error : new S3Error(500, "InternalError", String(error));
  const { code, message, status, headers } = known;
  const body = printXml("Error", { Code: code, Message: message, RequestId: randomUUID() });
  return { status, headers: { "content-type": "application/xml", ...headers }, body };
}

function send(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, headers = {}, body = "" }: S3Answer,
): void {
  // The rest of a body that was refused is still arriving.
  const close = incoming.complete ? {} : { connection: "close" };
  const length = { "content-length": String(Buffer.byteLength(body)) };
  outgoing.writeHead(status, {
    "x-amz-request-id": randomUUID(),
    ...(status === 304 || status === 204 ? {} : length),
    ...headers,
    ...close,
  });
  outgoing.end(incoming.method === "HEAD" ? "" : body);
}
