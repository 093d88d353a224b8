import { compress } from "hono/compress";

/**
 * For answers that may be long: gzip for those who accept it, when the body has a kilobyte or more.
 * A page at its cap that hardly shrinks still fits into Lambda's 6 MB after the base64 of its way
 * out.
 */
export const compressed = compress({ encoding: "gzip", threshold: 1_024 });

/** The header that an answer needs, or it would be compressed, however short it is. */
export const lengthOf = (body: string) => ({ "Content-Length": String(Buffer.byteLength(body)) });
