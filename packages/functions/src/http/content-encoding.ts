import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import type { MiddlewareHandler } from "hono";
import { readCapped, tooLarge } from "./body-cap.ts";
import type { AppEnv } from "./env.ts";

/** Refuses an unknown `Content-Encoding` before the caller is authenticated. */
export const requireKnownEncoding: MiddlewareHandler<AppEnv> = async (c, next) => {
  const encoding = encodingOf(c.req.header("content-encoding"));
  if (encoding !== "identity" && encoding !== "gzip") throw encodingRefused(encoding);
  await next();
};

/**
 * Decompresses a gzip body. The cap of a request applies to the body both before and after
 * decompression. Decompression stops at the cap.
 */
export const unpackBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { raw } = c.req;
  const isPacked = encodingOf(c.req.header("content-encoding")) === "gzip";
  if (isPacked && raw.body !== null) {
    const packed = await readCapped(raw);
    // A Node server learns that there is no body only by reading it. An empty body is not valid
    // gzip.
    const body = packed.length === 0 ? Buffer.alloc(0) : await unpack(packed);
    const headers = new Headers(raw.headers);
    headers.delete("content-encoding");
    headers.delete("transfer-encoding");
    headers.set("content-length", String(body.length));
    c.req.raw = new Request(raw, { headers, body });
  }
  await next();
};

async function unpack(packed: Uint8Array): Promise<Buffer<ArrayBuffer>> {
  try {
    const body = await inflate(packed, { maxOutputLength: LIMITS.requestBytesMax });
    return Buffer.from(body);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new LedgerError("malformed-gzip", {
      detail: "The body cannot be decompressed: it is not gzip, or it is incomplete.",
      cause,
    });
  }
}

const inflate = promisify(gunzip);

const encodingOf = (header = ""): string => {
  const name = header.trim().toLowerCase();
  if (name === "") return "identity";
  return name === "x-gzip" ? "gzip" : name;
};

const encodingRefused = (encoding: string): LedgerError =>
  new LedgerError("unsupported-media-type", {
    detail: `The Content-Encoding ${encoding.slice(0, 40)} is not supported. Send the body as gzip or without Content-Encoding.`,
    facts: { acceptedEncodings: "gzip" },
  });
