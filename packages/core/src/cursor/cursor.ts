import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { CursorReason } from "@eventledger/protocol";
import { LedgerError } from "../kernel/error.ts";
import { type CursorContent, packCursor, unpackCursor } from "./cursor-content.ts";
import { type ListOf, readListCursor } from "./list-cursor.ts";

export type { CursorContent, QueuePlace } from "./cursor-content.ts";

/** A secret that signs cursors. The first of a list signs. All of them are accepted. */
export type CursorKey = { readonly id: number; readonly secret: Uint8Array };

const VERSION = 1;
const MAC_BYTES = 16;

/**
 * Formats and parses cursors. A cursor is base64url of a version, a key id, the content and an
 * HMAC-SHA-256 over all of them, so a client can neither forge nor change one. `parse` throws
 * `invalid-cursor`. The reason is `key-retired` when no key has the id in the cursor, although that
 * id is then unverified, and `malformed` otherwise.
 */
export function createCursors(keys: readonly CursorKey[]) {
  const prepared = keys.map(({ id, secret }) => ({ id, secret: createSecretKey(secret) }));
  const [first] = prepared;
  if (first === undefined) throw new RangeError("At least one cursor key is needed");
  const signer = first;

  function format(content: CursorContent): string {
    const body = Buffer.concat([Buffer.of(VERSION, signer.id), packCursor(content)]);
    return Buffer.concat([body, macOf(body, signer.secret)]).toString("base64url");
  }

  function parse(text: string, malformed?: string): CursorContent {
    const bytes = Buffer.from(text, "base64url");
    const whole = bytes.length >= MAC_BYTES + 3 && bytes.toString("base64url") === text;
    const body = bytes.subarray(0, -MAC_BYTES);
    if (!whole || body[0] !== VERSION) {
      const isOfNames = readListCursor(text)?.list !== undefined;
      throw isOfNames ? invalidCursor("other-query") : invalidCursor("malformed", malformed);
    }
    const key = prepared.find(({ id }) => id === body[1]);
    if (key === undefined) throw invalidCursor("key-retired");
    const mac = macOf(body, key.secret);
    if (!timingSafeEqual(bytes.subarray(-MAC_BYTES), mac)) {
      throw invalidCursor("malformed", malformed);
    }
    return unpackCursor(body.subarray(2));
  }

  /**
   * Returns the name after which a list of names continues. Throws `invalid-cursor` with
   * `other-query` for any other cursor. Old cursors do not name their list, and continue any list
   * of names.
   */
  function parseListed(list: ListOf, text: string): string {
    const read = readListCursor(text);
    if (read === undefined) parse(text);
    if (read === undefined || (read.list ?? list) !== list) throw invalidCursor("other-query");
    return read.name;
  }

  return { format, parse, parseListed };
}

export type Cursors = ReturnType<typeof createCursors>;

/**
 * Returns the problem for a refused cursor. The reason is for programs, and the detail is for
 * people.
 */
export const invalidCursor = (
  reason: CursorReason,
  detail: string = DETAILS[reason],
): LedgerError => new LedgerError("invalid-cursor", { detail, facts: { reason } });

const DETAILS: Readonly<Record<CursorReason, string>> = {
  seeked: "A seek moved the subscription after the cursor was made. Poll again.",
  "other-life":
    "The cursor belongs to an earlier life of this stream. Discard what you have stored of that life, and begin again.",
  "other-stream": "The cursor belongs to another stream.",
  "other-subscription": "The cursor belongs to another subscription, or to none.",
  restored:
    "The table was restored to an earlier moment, and what the cursor covers is lost. Poll again without it, or seek.",
  "key-retired":
    "The key that signed the cursor is no longer in use. Poll again without it: positions are not affected.",
  malformed:
    "The cursor was not made by this server, or it was changed. Use one exactly as received.",
  "other-query": "The cursor was made for another kind of request. Use it where it came from.",
};

const macOf = (body: Uint8Array, secret: KeyObject): Buffer =>
  createHmac("sha256", secret).update(body).digest().subarray(0, MAC_BYTES);
