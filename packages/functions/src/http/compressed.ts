import { compress } from "hono/compress";

/**
 * Compresses answers of a kilobyte or more with gzip for clients that accept it. Lambda carries a
 * compressed body as Base64. Even a page at its cap that hardly shrinks stays below Lambda's 6 MB.
 */
export const compressed = compress({ encoding: "gzip", threshold: 1_024 });

/** The header without which an answer is compressed regardless of its length. */
export const lengthOf = (body: string) => ({ "Content-Length": String(Buffer.byteLength(body)) });
