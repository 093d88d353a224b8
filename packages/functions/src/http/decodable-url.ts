import { invalidRequest } from "@eventledger/core";
import type { MiddlewareHandler } from "hono";

/**
 * Refuses a URL whose percent-encoding is not UTF-8. Taken as it stands, `?key=%FF` would mean the
 * key `%FF`, which is another one.
 */
export const requireDecodableUrl: MiddlewareHandler = async (c, next) => {
  const { url } = c.req;
  if (url.includes("%")) {
    const queryAt = url.indexOf("?");
    assertDecodable("/path", queryAt === -1 ? url : url.slice(0, queryAt));
    if (queryAt !== -1) assertDecodable("/query", url.slice(queryAt));
  }
  await next();
};

function assertDecodable(pointer: string, part: string): void {
  try {
    decodeURIComponent(part);
  } catch {
    throw invalidRequest(pointer, "must be percent-encoded UTF-8");
  }
}
