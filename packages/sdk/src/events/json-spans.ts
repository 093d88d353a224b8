/** A member of a JSON object: its name, and the text of its value as it was written. */
export type Span = { readonly name: string; readonly text: string };

/**
 * Returns the members of a JSON object in their order, each with its text. A name that occurs twice
 * is listed twice. The text must be valid JSON.
 */
export function membersOf(json: string): Span[] {
  return spansOf(json).map(({ nameStart, start, end }) => ({
    name: JSON.parse(json.slice(nameStart, endOfString(json, nameStart))),
    text: json.slice(start, end),
  }));
}

/** Returns the texts of the elements of a JSON array. The text must be valid JSON. */
export const elementsOf = (json: string): string[] =>
  spansOf(json).map(({ start, end }) => json.slice(start, end));

/** Returns the places of the values in an object or array. An array has no names. */
function spansOf(json: string): { nameStart: number; start: number; end: number }[] {
  const spans: { nameStart: number; start: number; end: number }[] = [];
  const open = afterSpace(json, 0);
  const isObject = json.charCodeAt(open) === BRACE;
  let at = afterSpace(json, open + 1);
  while (at < json.length && !isClosing(json.charCodeAt(at))) {
    const nameStart = at;
    const start = isObject ? afterSpace(json, afterSpace(json, endOfString(json, at)) + 1) : at;
    const end = endOfValue(json, start);
    spans.push({ nameStart, start, end });
    at = afterSpace(json, end);
    if (json.charCodeAt(at) === COMMA) at = afterSpace(json, at + 1);
  }
  return spans;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const BRACE = 123;
const BRACKET = 91;

const isOpening = (code: number): boolean => code === BRACE || code === BRACKET;
const isClosing = (code: number): boolean => code === 125 || code === 93;
const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

function afterSpace(json: string, from: number): number {
  let at = from;
  while (isSpace(json.charCodeAt(at))) at += 1;
  return at;
}

function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
  return json.length;
}

function endOfValue(json: string, start: number): number {
  const first = json.charCodeAt(start);
  if (first === QUOTE) return endOfString(json, start);
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at) - 1;
    else if (isOpening(code)) depth += 1;
    else if (depth === 0 && (code === COMMA || isClosing(code) || isSpace(code))) return at;
    else if (isClosing(code)) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return json.length;
}
