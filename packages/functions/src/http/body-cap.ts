import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";

/** Refuses a body over the cap of a request. */
export const capBody = bodyLimit({
  maxSize: LIMITS.requestBytesMax,
  onError: () => {
    throw new LedgerError("request-too-large", {
      detail: `A request may have ${LIMITS.requestBytesMax} bytes. Publish fewer events at once.`,
      facts: { requestBytesMax: LIMITS.requestBytesMax },
    });
  },
});

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
  let bytes = 0;
  for await (const chunk of raw.body) {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) return;
  }
};
