import { LedgerError, type RawJson } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import { type FieldPlace, invalidField, sentence } from "./invalid-fields.ts";

/** The span of a JSON value in its text: `text.slice(start, end)`. `depth` is the nesting depth. */
export type Span = { readonly start: number; readonly end: number; readonly depth: number };

/** A member of a JSON object: its unescaped name and the span of its value. */
export type Member = Span & { readonly name: string };

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Decodes the text of a whole body. See `utf8Reader`. */
export function decodeUtf8(bytes: Uint8Array): string {
  const { push, end } = utf8Reader();
  return push(bytes) + end();
}

/**
 * Decodes the text of a body piece by piece. A piece may end inside a character. Throws
 * `malformed-json` for bytes that are not UTF-8 and for a byte order mark, which JSON does not
 * allow. Dropping either silently would change what was sent.
 */
export function utf8Reader(): { push(bytes: Uint8Array): string; end(): string } {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let begun = false;
  const decode = (bytes: Uint8Array | undefined): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw new LedgerError("malformed-json", { detail: "The body is not valid UTF-8.", cause });
    }
  };
  const push = (bytes: Uint8Array): string => {
    const text = decode(bytes);
    if (!begun && text.startsWith("\ufeff")) {
      throw new LedgerError("malformed-json", {
        detail: "The body starts with a byte order mark. Send plain UTF-8 without it.",
      });
    }
    begun ||= text !== "";
    return text;
  };
  return { push, end: () => decode(undefined) };
}

/** Returns the refusal of a request without a body. `remedy` says what to send. */
export const emptyBody = (remedy: string): LedgerError =>
  new LedgerError("malformed-json", { detail: `The body is empty. ${remedy}` });

/**
 * Parses a JSON text, or throws `malformed-json`. `where` is the subject of the message. V8 parses
 * iteratively, so deep nesting does no harm.
 */
export function parseJson(text: string, where = "The body"): unknown {
  if (/^[ \t\r\n]*$/.test(text)) {
    throw new LedgerError("malformed-json", { detail: `${where} is empty.` });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new LedgerError("malformed-json", { detail: `${where} is not JSON: ${reason}`, cause });
  }
}

/**
 * Returns the members of the object that opens at or after `from`, in their order, including
 * duplicates. Stops once there are more than `membersMax`, so that a hostile object costs little.
 *
 * Like all functions below, this one reads only text that `parseJson` accepted, and does not
 * recurse. In valid JSON, counting open brackets is enough to find the end of a value.
 */
export const cutMembers = (text: string, from: number, membersMax: number): Member[] =>
  objectAt(text, skipSpace(text, from), membersMax).members;

/** An element of an array. `members` are those of an object, cut as by `cutMembers`. */
export type Element = Omit<Span, "depth"> & { readonly members: readonly Member[] };

/** The most elements of an array, and the most members of each of its objects, that are cut. */
export type CutMax = { readonly elements: number; readonly members: number };

/**
 * Returns the elements of the array that opens at or after `from`, with their members, in one pass.
 * Stops once there are more elements than `max` allows.
 */
export const cutElements = (text: string, from: number, max: CutMax): Element[] =>
  arrayAt(text, skipSpace(text, from), max).elements;

/**
 * Returns the elements of the array in a text such as `{"events": [...]}`, with their members, in
 * one pass. Returns undefined for an object with another member, and for more elements than `max`
 * allows.
 */
export function cutOnlyList(text: string, name: string, max: CutMax): Element[] | undefined {
  const quoted = JSON.stringify(name);
  const nameAt = skipSpace(text, skipSpace(text, 0) + 1);
  if (!text.startsWith(quoted, nameAt)) return undefined;
  const open = valueAfter(text, nameAt + quoted.length);
  if (text.charCodeAt(open) !== OPEN_BRACKET) return undefined;
  const { elements, end } = arrayAt(text, open, max);
  const isWhole = elements.length <= max.elements;
  return isWhole && text.charCodeAt(skipSpace(text, end)) === CLOSE_BRACE ? elements : undefined;
}

function arrayAt(text: string, open: number, max: CutMax): { elements: Element[]; end: number } {
  const elements: Element[] = [];
  let at = skipSpace(text, open + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACKET && elements.length <= max.elements) {
    const isObject = text.charCodeAt(at) === OPEN_BRACE;
    const { members, end } = isObject ? objectAt(text, at, max.members) : scalarOrList(text, at);
    elements.push({ start: at, end, members });
    at = nextItem(text, end);
  }
  return { elements, end: at + 1 };
}

const scalarOrList = (text: string, at: number) => ({ members: [], end: spanOf(text, at).end });

function objectAt(text: string, open: number, membersMax: number) {
  const members: Member[] = [];
  let at = skipSpace(text, open + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACE) {
    if (members.length > membersMax) return { members, end: spanOf(text, open).end };
    const nameEnd = endOfString(text, at);
    const name = unquote(text.slice(at, nameEnd));
    const { start, end, depth } = spanOf(text, valueAfter(text, nameEnd));
    members.push({ name, start, end, depth });
    at = nextItem(text, end);
  }
  return { members, end: at + 1 };
}

/** Returns the index of a member's value. `nameEnd` is the index after its name. */
const valueAfter = (text: string, nameEnd: number): number =>
  skipSpace(text, skipSpace(text, nameEnd) + 1);

/** Returns the span of the one value of a text, without the white space around it. */
export const cutValue = (text: string): Span => spanOf(text, skipSpace(text, 0));

/**
 * Returns the text of a value exactly as it was sent. Throws `unsupported-data` at its place for
 * nesting beyond the cap and for lone surrogates, because the parsers of some readers cannot handle
 * these.
 */
export function rawData(text: string, span: Span, placeOf: () => FieldPlace): RawJson {
  if (span.depth > LIMITS.dataDepthMax) {
    const detail = `is nested ${span.depth} levels deep; the limit is ${LIMITS.dataDepthMax}`;
    throw unsupported(placeOf(), detail, { dataDepthMax: LIMITS.dataDepthMax });
  }
  const raw = text.slice(span.start, span.end);
  const loneAt = loneSurrogateAt(raw);
  if (loneAt !== -1) {
    const found = raw[loneAt] === "\\" ? raw.slice(loneAt, loneAt + 6) : "unescaped";
    const detail = `holds a lone surrogate (${found}) at character ${loneAt} of its text`;
    throw unsupported(placeOf(), detail);
  }
  return raw as RawJson;
}

function unsupported(place: FieldPlace, detail: string, facts: Record<string, number> = {}) {
  const field = invalidField(place, detail);
  return new LedgerError("unsupported-data", { detail: sentence(field), errors: [field], facts });
}

/** Returns the index of a lone surrogate, escaped or not, or -1 when there is none. */
export function loneSurrogateAt(raw: string): number {
  if (!raw.isWellFormed()) return raw.search(/\p{Surrogate}/u);
  let at = raw.indexOf("\\");
  while (at !== -1) {
    const unit = escapedUnit(raw, at);
    if (unit < 0xd800 || unit > 0xdfff) {
      at = raw.indexOf("\\", at + 2);
      continue;
    }
    const next = escapedUnit(raw, at + 6);
    if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return at;
    at = raw.indexOf("\\", at + 12);
  }
  return -1;
}

/** Returns the code unit of the `\uXXXX` escape at `at`, or -1 when there is none. */
const escapedUnit = (raw: string, at: number): number =>
  raw.charCodeAt(at) === BACKSLASH && raw[at + 1] === "u"
    ? Number.parseInt(raw.slice(at + 2, at + 6), 16)
    : -1;

function spanOf(text: string, start: number): Span {
  let at = start;
  let open = 0;
  let depth = 0;
  do {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      open += 1;
      if (open > depth) depth = open;
      at += 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      open -= 1;
      at += 1;
    } else if (open === 0) {
      at = endOfScalar(text, at);
    } else {
      at += 1;
    }
  } while (open > 0);
  return { start, end: at, depth };
}

/** A text as short as this is read sooner character by character than by a call of `indexOf`. */
const NEAR_CHARS = 64;

function endOfString(text: string, quoteAt: number): number {
  let at = quoteAt + 1;
  for (const near = at + NEAR_CHARS; at < near; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
  }
  let end = text.indexOf('"', at);
  while (text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end)) {
    end = text.indexOf('"', end + 1);
  }
  return end + 1;
}

/** A character is escaped when an odd number of backslashes precedes it. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

/**
 * Returns the end of a number, `true`, `false` or `null`. None of them contains a bracket, a comma
 * or a space.
 */
function endOfScalar(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && !isScalarEnd(text.charCodeAt(at))) at += 1;
  return at;
}

const isScalarEnd = (code: number): boolean =>
  code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code);

const isSpace = (code: number): boolean =>
  code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** Returns the index where the next name or element begins, or the index of the closing bracket. */
function nextItem(text: string, valueEnd: number): number {
  const at = skipSpace(text, valueEnd);
  return text.charCodeAt(at) === COMMA ? skipSpace(text, at + 1) : at;
}

const unquote = (quoted: string): string =>
  quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
