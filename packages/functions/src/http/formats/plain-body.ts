import type { IncomingEvent, RawJson } from "@eventledger/core";
import { type EventAttributes, LIMITS } from "@eventledger/protocol";
import { isSmall } from "./envelope.ts";
import { loneSurrogateAt } from "./raw-json.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;

/** The result of a reader that meets something that it does not accept. */
const REFUSED = -1;

/**
 * Reads a text such as `{"events": [...]}` whose events have only a key, data, and perhaps a type
 * and an id, all clearly within their caps. It checks in one pass that the text is JSON, and cuts
 * it. Returns undefined for any other text, valid or not: the parser and the schemas decide about
 * it, and word the refusal. Most requests with many events are plain. A parser makes an object of
 * each `data`, which takes longer than this pass.
 */
export function readPlainList(text: string): IncomingEvent[] | undefined {
  if (!text.isWellFormed()) return undefined;
  const mayHideSurrogates = text.includes("\\u");
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACE) return undefined;
  at = skipSpace(text, at + 1);
  if (!text.startsWith('"events"', at)) return undefined;
  at = skipSpace(text, at + '"events"'.length);
  if (text.charCodeAt(at) !== COLON) return undefined;
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) !== OPEN_BRACKET) return undefined;
  const events: IncomingEvent[] = [];
  do {
    const found = readEvent(text, skipSpace(text, at + 1), mayHideSurrogates);
    if (found === undefined || events.length === LIMITS.requestEventsMax) return undefined;
    events.push(found.event);
    at = skipSpace(text, found.end);
  } while (text.charCodeAt(at) === COMMA);
  if (text.charCodeAt(at) !== CLOSE_BRACKET) return undefined;
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) !== CLOSE_BRACE) return undefined;
  return skipSpace(text, at + 1) === text.length ? events : undefined;
}

/** Reads the event that opens at `open`. `end` is the index after it. */
function readEvent(
  text: string,
  open: number,
  mayHideSurrogates: boolean,
): { readonly event: IncomingEvent; readonly end: number } | undefined {
  if (text.charCodeAt(open) !== OPEN_BRACE) return undefined;
  const members: Members = { key: undefined, type: undefined, id: undefined, data: undefined };
  let at = open;
  do {
    const end = readMember(text, skipSpace(text, at + 1), members);
    if (end === REFUSED) return undefined;
    at = skipSpace(text, end);
  } while (text.charCodeAt(at) === COMMA);
  if (text.charCodeAt(at) !== CLOSE_BRACE) return undefined;
  const { key, type, id, data } = members;
  if (key === undefined || data === undefined) return undefined;
  if (mayHideSurrogates && loneSurrogateAt(data) !== -1) return undefined;
  const attributes: EventAttributes = { key };
  if (type !== undefined) attributes.type = type;
  if (id !== undefined) attributes.id = id;
  const event: IncomingEvent = { attributes, data: data as RawJson };
  return isSmall(event) ? { event, end: at + 1 } : undefined;
}

/** The members of an event that are read so far. `data` is JSON, and the others are plain texts. */
type Members = Record<"key" | "type" | "id" | "data", string | undefined>;

/** Adds the member that begins at `nameAt`. Returns the index after it, or -1. */
function readMember(text: string, nameAt: number, members: Members): number {
  const nameEnd = endOfString(text, nameAt);
  if (nameEnd === REFUSED) return REFUSED;
  const colonAt = skipSpace(text, nameEnd);
  if (text.charCodeAt(colonAt) !== COLON) return REFUSED;
  const valueAt = skipSpace(text, colonAt + 1);
  const end = endOfValue(text, valueAt);
  if (end === REFUSED) return REFUSED;
  const name = text.slice(nameAt, nameEnd);
  return addMember(members, name, text.slice(valueAt, end)) ? end : REFUSED;
}

/** Adds a member, whose name is in quotes. Returns false if it is not plain. */
function addMember(members: Members, name: string, value: string): boolean {
  switch (name) {
    case '"key"':
      return setOnce(members, "key", plainText(value, LIMITS.keyBytesMax));
    case '"type"':
      return setOnce(members, "type", plainText(value, LIMITS.typeBytesMax));
    case '"id"':
      return setOnce(members, "id", plainText(value, LIMITS.idBytesMax));
    case '"data"':
      return setOnce(members, "data", value);
    default:
      return false;
  }
}

/** Sets a member. Returns false if its value is not plain, or if it was set before. */
function setOnce(members: Members, name: keyof Members, value: string | undefined): boolean {
  if (value === undefined || members[name] !== undefined) return false;
  members[name] = value;
  return true;
}

/**
 * Returns the text of a JSON string without escapes. Undefined for any other value, an empty text,
 * and one that may be over its cap: a UTF-16 unit takes at most 3 bytes.
 */
function plainText(value: string, bytesMax: number): string | undefined {
  if (value.charCodeAt(0) !== QUOTE || value.length < 3 || value.includes("\\")) return undefined;
  return (value.length - 2) * 3 <= bytesMax ? value.slice(1, -1) : undefined;
}

/** For each open object or array of the value that is being read: whether it is an object. */
const isObjectAt: boolean[] = Array.from({ length: LIMITS.dataDepthMax }, () => false);

/**
 * Returns the index after the value at `start`, or -1 if it is not JSON or nested too deeply. It
 * does not recurse.
 */
function endOfValue(text: string, start: number): number {
  let open = 0;
  let at = start;
  for (;;) {
    const code = text.charCodeAt(at);
    let isOpened = false;
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (open === LIMITS.dataDepthMax) return REFUSED;
      isObjectAt[open] = code === OPEN_BRACE;
      open += 1;
      at = skipSpace(text, at + 1);
      isOpened = text.charCodeAt(at) !== (code === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET);
    } else at = endOfScalar(text, at, code);
    if (at === REFUSED) return REFUSED;
    while (!isOpened) {
      if (open === 0) return at;
      at = skipSpace(text, at);
      const next = text.charCodeAt(at);
      at += 1;
      if (next === COMMA) {
        at = skipSpace(text, at);
        isOpened = true;
      } else if (next === (isObjectAt[open - 1] === true ? CLOSE_BRACE : CLOSE_BRACKET)) {
        open -= 1;
      } else return REFUSED;
    }
    if (isObjectAt[open - 1] === true) {
      const nameEnd = endOfString(text, at);
      if (nameEnd === REFUSED) return REFUSED;
      at = skipSpace(text, nameEnd);
      if (text.charCodeAt(at) !== COLON) return REFUSED;
      at = skipSpace(text, at + 1);
    }
  }
}

/** Returns the index after the string at `start`, or -1 if there is none. */
function endOfString(text: string, start: number): number {
  if (text.charCodeAt(start) !== QUOTE) return REFUSED;
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) {
      at = endOfEscape(text, at);
      if (at === REFUSED) return REFUSED;
    } else if (code >= SPACE) at += 1;
    // A control character, or the end of the text.
    else return REFUSED;
  }
}

const ESCAPED = '"\\/bfnrt';

function endOfEscape(text: string, backslashAt: number): number {
  const letter = text.charAt(backslashAt + 1);
  if (letter === "u") {
    return /^[0-9a-fA-F]{4}$/.test(text.slice(backslashAt + 2, backslashAt + 6))
      ? backslashAt + 6
      : REFUSED;
  }
  return letter !== "" && ESCAPED.includes(letter) ? backslashAt + 2 : REFUSED;
}

function endOfScalar(text: string, start: number, code: number): number {
  if (code === MINUS || isDigit(code)) return endOfNumber(text, start);
  for (const word of ["true", "false", "null"]) {
    if (text.startsWith(word, start)) return start + word.length;
  }
  return REFUSED;
}

function endOfNumber(text: string, start: number): number {
  let at = text.charCodeAt(start) === MINUS ? start + 1 : start;
  at = text.charCodeAt(at) === ZERO ? at + 1 : endOfDigits(text, at);
  if (at !== REFUSED && text.charCodeAt(at) === POINT) at = endOfDigits(text, at + 1);
  if (at === REFUSED) return REFUSED;
  const letter = text.charAt(at);
  if (letter !== "e" && letter !== "E") return at;
  const sign = text.charAt(at + 1);
  return endOfDigits(text, sign === "+" || sign === "-" ? at + 2 : at + 1);
}

/** Returns the index after one digit or more, or -1 if there is none. */
function endOfDigits(text: string, start: number): number {
  let at = start;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at === start ? REFUSED : at;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}
