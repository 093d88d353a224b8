import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";
import { NDJSON, parseMediaType } from "./formats/media-type.ts";

/** The number of bytes of a refused body that are read and discarded. */
const DISCARDED_BYTES_MAX = 8 * LIMITS.requestBytesMax;

/**
 * Refuses a body over a cap before it is parsed. A body with a length is not read for that. A
 * chunked body is read here and kept for the handler. The rest of a body that is too large is
 * discarded, up to a bound, so that the answer and the next request on the connection arrive
 * (hono/body-limit stops reading there, and leaves the body locked).
 */
const capOf =
  (bytesMax: number, refusal: () => LedgerError): MiddlewareHandler =>
  async (c, next) => {
    const { body, headers } = c.req.raw;
    const length = headers.has("transfer-encoding") ? null : headers.get("content-length");
    if (Number(length ?? 0) > bytesMax) throw refusal();
    if (body !== null && length === null) {
      const content = await readWithin(body, bytesMax);
      if (content === undefined) throw refusal();
      c.req.raw = new Request(c.req.raw, { body: content });
    }
    await next();
  };

/** Undefined when there is more than the cap. */
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
    detail: `A request may have ${LIMITS.requestBytesMax} bytes. Publish fewer events at once.`,
    facts: { requestBytesMax: LIMITS.requestBytesMax },
  });

const capWholeBody = capOf(LIMITS.requestBytesMax, tooLarge);

/**
 * Refuses a body over the cap of a request. Chunked NDJSON is capped while it is streamed: see
 * `cappedChunks`.
 */
export const capBody: MiddlewareHandler = (c, next) => {
  const { headers } = c.req.raw;
  const isSized = headers.has("content-length") && !headers.has("transfer-encoding");
  const isLines = parseMediaType(c.req.header("content-type"))?.essence === NDJSON;
  return isLines && !isSized ? next() : capWholeBody(c, next);
};

/** All of a body, within the cap of a request. Throws `request-too-large`. */
export async function readCapped({ body, headers }: Request): Promise<Uint8Array> {
  if (Number(headers.get("content-length") ?? 0) > LIMITS.requestBytesMax) throw tooLarge();
  const content = body === null ? Buffer.alloc(0) : await readWithin(body, LIMITS.requestBytesMax);
  if (content === undefined) throw tooLarge();
  return content;
}

/**
 * Asks for a body that the client waits to send, once the caller is known and the length is not too
 * large. So a client that is refused earlier does not send the body for nothing.
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
      detail: `The body may have ${LIMITS.otherRequestBytesMax} bytes here.`,
      facts: { otherRequestBytesMax: LIMITS.otherRequestBytesMax },
    }),
);

type Body = ReadableStream<Uint8Array>;

/**
 * Yields a body piece by piece as it arrives, up to the cap of a request. A reader that stops early
 * has refused the body. The rest is discarded.
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
 * Reads and discards, up to a bound, the unread rest of a refused request's body. A Node server
 * soon closes a connection that still holds such bytes, together with this answer and whatever
 * request comes next on it.
 */
export const discardUnreadBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { raw } = c.req;
  if (c.env?.proceed !== undefined && !c.var.proceeded) {
    // The client may still send the body.
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
