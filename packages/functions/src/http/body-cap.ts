import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";
import { NDJSON, parseMediaType } from "./formats/media-type.ts";

/** The number of bytes of a refused body that are read and discarded. */
const DISCARDED_BYTES_MAX = 8 * LIMITS.requestBytesMax;

/**
 * Refuses a body over a cap before it is parsed. A declared length is checked without reading the
 * body. A chunked body is read here and kept for the handler. The rest of a body that is too large
 * is read and discarded, up to a bound, so that the client receives the answer and can reuse the
 * connection. hono/body-limit would stop reading and leave the body locked.
 */
const capOf =
  (bytesMax: number, refusal: () => LedgerError): MiddlewareHandler =>
  async (c, next) => {
    const { headers } = c.req.raw;
    const length = headers.has("transfer-encoding") ? null : headers.get("content-length");
    if (Number(length ?? 0) > bytesMax) throw refusal();
    if (length === null && !BODILESS.has(c.req.method)) await replaceBody(c, bytesMax, refusal);
    await next();
  };

/** The methods whose requests have no body here. Even checking for a body would create a stream. */
const BODILESS = new Set(["GET", "HEAD"]);

/**
 * Reads a body of unknown length and keeps it for the handler. The body is read as a stream only
 * here, because on a Node server a stream costs more than the content of a small body.
 */
async function replaceBody(c: Context, bytesMax: number, refusal: () => LedgerError) {
  const { body } = c.req.raw;
  if (body === null) return;
  const content = await readWithin(body, bytesMax);
  if (content === undefined) throw refusal();
  c.req.raw = new Request(c.req.raw, { body: content });
}

/** Returns undefined when the body is larger than the cap. */
async function readWithin(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) break;
    if (bytes <= bytesMax) chunks.push(chunk);
  }
  return bytes <= bytesMax ? Buffer.concat(chunks) : undefined;
}

export const tooLarge = (): LedgerError =>
  new LedgerError("request-too-large", {
    detail: `A request may have at most ${LIMITS.requestBytesMax} bytes. Publish fewer events at once.`,
    facts: { requestBytesMax: LIMITS.requestBytesMax },
  });

const capWholeBody = capOf(LIMITS.requestBytesMax, tooLarge);

/**
 * Refuses a body over the cap of a request. `cappedChunks` applies the cap to chunked NDJSON while
 * it is streamed.
 */
export const capBody: MiddlewareHandler = (c, next) => {
  const { headers } = c.req.raw;
  const isSized = headers.has("content-length") && !headers.has("transfer-encoding");
  const isLines = parseMediaType(c.req.header("content-type"))?.essence === NDJSON;
  return isLines && !isSized ? next() : capWholeBody(c, next);
};

/** Reads a whole body within the cap of a request. Throws `request-too-large`. */
export async function readCapped({ body, headers }: Request): Promise<Uint8Array> {
  if (Number(headers.get("content-length") ?? 0) > LIMITS.requestBytesMax) throw tooLarge();
  const content = body === null ? Buffer.alloc(0) : await readWithin(body, LIMITS.requestBytesMax);
  if (content === undefined) throw tooLarge();
  return content;
}

/**
 * Asks a client that sent `Expect: 100-continue` for the body, once the caller is known and the
 * declared length is within the cap. A client that is refused earlier never sends the body.
 */
export const askForBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const length = Number(c.req.header("content-length") ?? 0);
  if (c.env?.proceed !== undefined && length <= LIMITS.requestBytesMax) {
    c.set("proceeded", true);
    c.env.proceed();
  }
  await next();
};

/** Refuses a body over the cap that applies to every request except a publish. */
export const capSmallBody = capOf(
  LIMITS.otherRequestBytesMax,
  () =>
    new LedgerError("request-too-large", {
      detail: `The body of this request may have at most ${LIMITS.otherRequestBytesMax} bytes.`,
      facts: { otherRequestBytesMax: LIMITS.otherRequestBytesMax },
    }),
);

type Body = ReadableStream<Uint8Array>;

/**
 * Yields the chunks of a body as they arrive, up to the cap of a request. When the reader stops
 * early, the rest of the body is discarded.
 */
export async function* cappedChunks(body: Body | null): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader();
  let bytes = 0;
  let open = true;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      open = !done;
      if (done) return;
      bytes += value.length;
      if (bytes > LIMITS.requestBytesMax) throw tooLarge();
      yield value;
    }
  } finally {
    reader.releaseLock();
    if (open) await discard(body);
  }
}

/**
 * Reads and discards, up to a bound, the unread rest of a refused request's body. Otherwise a Node
 * server closes the connection, and the answer and the next request on the connection may be lost.
 */
export const discardUnreadBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { raw } = c.req;
  if (c.env?.proceed !== undefined && !c.var.proceeded) {
    // The client may still send the body that it has not been asked for.
    c.header("Connection", "close");
    return;
  }
  if (c.res.status < 400 || raw.bodyUsed || raw.body === null || raw.body.locked) return;
  await discard(raw.body);
};

async function discard(body: Body): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) return;
  }
}
