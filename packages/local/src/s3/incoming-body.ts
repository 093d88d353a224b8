import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { notImplemented, S3Error } from "./s3-error.ts";

type Headers = Readonly<Record<string, string | undefined>>;
export type IncomingBody = {
  readonly body: Buffer;
  /** The checked checksums in base64, by header. */
  readonly checksums: Readonly<Record<string, string>>;
};

const hashOf = (algorithm: string) => (body: Buffer) =>
  createHash(algorithm).update(body).digest("base64");

const ALGORITHMS: Readonly<Record<string, (body: Buffer) => string>> = {
  "x-amz-checksum-sha256": hashOf("sha256"),
  "x-amz-checksum-sha1": hashOf("sha1"),
  "x-amz-checksum-crc32": (body) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes.toString("base64");
  },
};

/**
 * Unpacks a body that was sent in chunks (`aws-chunked`), and compares it with every checksum that
 * came with it. Throws an `S3Error` when one differs.
 */
export function checkBody(raw: Buffer, headers: Headers): IncomingBody {
  const payload = headers["x-amz-content-sha256"] ?? "";
  const { body, trailers } = payload.startsWith("STREAMING-")
    ? unpackChunks(raw)
    : { body: raw, trailers: {} };
  const { "x-amz-decoded-content-length": length, "content-md5": md5 } = headers;
  if (length !== undefined && Number(length) !== body.length) {
    throw new S3Error(400, "IncompleteBody", "The body has another length than announced.");
  }
  if (
    /^[\da-f]{64}$/.test(payload) &&
    payload !== createHash("sha256").update(body).digest("hex")
  ) {
    throw new S3Error(400, "XAmzContentSHA256Mismatch", "The body does not match its hash.");
  }
  if (md5 !== undefined && md5 !== hashOf("md5")(body)) throw badDigest();
  const checksums: Record<string, string> = {};
  for (const [name, given] of Object.entries({ ...headers, ...trailers })) {
    if (!/^x-amz-checksum-(?!type|algorithm|mode)/.test(name) || given === undefined) continue;
    const compute = ALGORITHMS[name];
    if (compute === undefined) throw notImplemented(`the checksum ${name}`);
    if (compute(body) !== given) throw badDigest();
    checksums[name] = given;
  }
  return { body, checksums };
}

const badDigest = () => new S3Error(400, "BadDigest", "The body does not match its checksum.");
const malformed = () => new S3Error(400, "IncompleteBody", "The chunks of the body are cut off.");

/** Parses `<size in hex>[;extensions]\r\n<bytes>\r\n` until the chunk of size 0, then trailers. */
function unpackChunks(raw: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = raw.indexOf("\r\n", at);
    const size = Number.parseInt(raw.toString("latin1", at, Math.max(at, end)), 16);
    if (end === -1 || !(size >= 0)) throw malformed();
    at = end + 2;
    if (size === 0) break;
    if (at + size + 2 > raw.length) throw malformed();
    chunks.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  const lines = raw.toString("latin1", at).split("\r\n");
  const trailers = lines.flatMap((line) => {
    const [name = "", value] = line.split(/:(.*)/s);
    return value === undefined ? [] : [[name.trim().toLowerCase(), value.trim()] as const];
  });
  return { body: Buffer.concat(chunks), trailers: Object.fromEntries(trailers) };
}
