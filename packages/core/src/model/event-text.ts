import type { RawJson, StoredEvent } from "./event.ts";

const DATA = ',"data":';

/** Prints an event as native JSON, with its data exactly as published. */
export function printEvent(event: StoredEvent): string {
  const { sequence, publishedAt, id, key, type, time, headers, erased, erasure } = event;
  const place = `"sequence":${sequence},"publishedAt":"${isoTime(publishedAt)}"`;
  const attributes = `"id":${JSON.stringify(id)},"key":${JSON.stringify(key)}`;
  const given = member("type", type) + member("time", time) + member("headers", headers);
  const marks = member("erased", erased) + member("erasure", erasure);
  return `{${place},${attributes}${given}${marks}${DATA}${event.data}}`;
}

const member = (name: string, value: unknown): string =>
  value === undefined ? "" : `,"${name}":${JSON.stringify(value)}`;

/** All events of a batch have the same time, so the last text is kept. */
let printedTime = { ms: 0, text: new Date(0).toISOString() };
function isoTime(ms: number): string {
  if (ms !== printedTime.ms) printedTime = { ms, text: new Date(ms).toISOString() };
  return printedTime.text;
}

/**
 * Parses a printed event. Its data is taken as it is, without parsing. Throws a SyntaxError for any
 * other text.
 */
export function parseEvent(text: string): StoredEvent {
  const at = findData(text);
  const { publishedAt, ...attributes } = JSON.parse(`${text.slice(0, at)}}`);
  const data = text.slice(at + DATA.length, -1) as RawJson;
  return { ...attributes, publishedAt: Date.parse(publishedAt), data };
}

/** Finds the member `data` of the object itself. A header may also have that name. */
function findData(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{") depth++;
    else if (char === "}") depth--;
    else if (char === '"') at = endOfText(text, at);
    else if (char === "," && depth === 1 && text.startsWith(DATA, at)) return at;
  }
  throw new SyntaxError("The text is not a printed event");
}

/** Returns the index of the quote that ends the text which begins at `from`. */
function endOfText(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
