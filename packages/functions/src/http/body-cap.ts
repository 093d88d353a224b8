import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { NDJSON, parseMediaType } from "./formats/media-type.ts";

/**
 * Refuses a body over the cap of a request. One that does not say its size is counted, and for that
 * read whole; only lines are left to who reads them by `cappedChunks`.
 */
export const capBody: MiddlewareHandler = (c, next) => {
  const { headers } = c.req.raw;
  const isSized = headers.has("content-length") && !headers.has("transfer-encoding");
  const isLines = parseMediaType(c.req.header("content-type"))?.essence === NDJSON;
  return isLines && !isSized ? next() : capWholeBody(c, next);
};

const capWholeBody = bodyLimit({
  maxSize: LIMITS.requestBytesMax,
  onError: () => {
    throw tooLarge();
  },
});

const tooLarge = (): LedgerError =>
  new LedgerError("request-too-large", {
    detail: `A request may have ${LIMITS.requestBytesMax} bytes. Publish fewer events at once.`,
    facts: { requestBytesMax: LIMITS.requestBytesMax },
  });

type Body = ReadableStream<Uint8Array>;

/**
 * A body piece by piece as it arrives, up to the cap of a request. Whoever stops reading before the
 * end has refused it: then the rest is thrown away.
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

const DISCARDED_BYTES_MAX = 8 * LIMITS.requestBytesMax;

/**
 * Reads and throws away, within reason, what nobody has read of a refused request's body. A Node
 * server soon closes a connection that still holds such bytes, together with this answer and
 * whatever request comes next on it.
 */
export const discardUnreadBody: MiddlewareHandler = async (c, next) => {
  await next();
  const { raw } = c.req;
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
