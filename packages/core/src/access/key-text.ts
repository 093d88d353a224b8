import { crc32 } from "node:zlib";
import type { Random } from "../kernel/random.ts";

/** Where a key is valid: on AWS (`live`) or on a developer's machine (`test`). */
export type KeyKind = "live" | "test";

/** The parts of an API key's text. The secret proves the id. */
export type KeyText = { readonly kind: KeyKind; readonly id: string; readonly secret: string };

const BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Ids are also used as names: in URLs, table keys and list cursors. */
const BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz";

const ID_CHARS = 12;
const SECRET_CHARS = 32;
const CHECKSUM_CHARS = 6;
const KEY = /^(elk_(live|test)_([0-9a-z]{12})_([0-9A-Za-z]{32}))([0-9A-Za-z]{6})$/;

/**
 * Returns `elk_<live|test>_<id>_<secret><checksum>`. Secret scanners recognise this form easily,
 * and a mistyped key fails its checksum before any look-up. The form follows GitHub's tokens.
 */
export function formatKey({ kind, id, secret }: KeyText): string {
  const body = `elk_${kind}_${id}_${secret}`;
  return body + checksumOf(body);
}

/** Parses the text of an API key. Returns undefined when the form or the checksum is wrong. */
export function parseKey(text: string): KeyText | undefined {
  const [, body = "", kind, id = "", secret = "", checksum] = KEY.exec(text) ?? [];
  if (checksum === undefined || checksumOf(body) !== checksum) return undefined;
  return { kind: kind === "live" ? "live" : "test", id, secret };
}

/** Returns 62 random bits. */
export const newKeyId = (random: Random): string => draw(random, BASE_36, ID_CHARS);

/** Returns 190 random bits. They cannot be guessed, so a fast hash is enough for storage. */
export const newSecret = (random: Random): string => draw(random, BASE_62, SECRET_CHARS);

function checksumOf(body: string): string {
  let left = crc32(body);
  let digits = "";
  for (let at = 0; at < CHECKSUM_CHARS; at++) {
    digits = BASE_62.charAt(left % 62) + digits;
    left = Math.floor(left / 62);
  }
  return digits;
}

/**
 * Draws every character with the same probability. Bytes that would favour some characters are
 * discarded.
 */
function draw(random: Random, alphabet: string, chars: number): string {
  const fair = 256 - (256 % alphabet.length);
  let drawn = "";
  while (drawn.length < chars) {
    for (const byte of random.bytes(chars)) {
      if (byte < fair && drawn.length < chars) drawn += alphabet.charAt(byte % alphabet.length);
    }
  }
  return drawn;
}
