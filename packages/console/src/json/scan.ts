/** Scans JSON texts without parsing their values, so that no value changes. */

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;
const isOpening = (code: number): boolean => code === 123 || code === 91;
const isClosing = (code: number): boolean => code === 125 || code === 93;

/** Returns the index of the next character that is not white space. */
export function afterSpace(json: string, from: number): number {
  let at = from;
  while (isSpace(json.charCodeAt(at))) at += 1;
  return at;
}

/** Returns the index after the string that begins with a quote at `start`. */
export function afterText(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
  return json.length;
}

/** Returns the index after a number, `true`, `false` or `null`. */
export function afterPlain(json: string, start: number): number {
  let at = start;
  for (; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === COMMA || isClosing(code) || isSpace(code)) break;
  }
  return at;
}

/** Returns the index after the value that begins at `start`. */
export function afterValue(json: string, start: number): number {
  const first = json.charCodeAt(start);
  if (first === QUOTE) return afterText(json, start);
  if (!isOpening(first)) return afterPlain(json, start);
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = afterText(json, at) - 1;
    else if (isOpening(code)) depth += 1;
    else if (isClosing(code)) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return json.length;
}

/** A value in an object or array. `name` keeps its spelling, with its quotes. */
export type Member = {
  readonly name: string | undefined;
  readonly start: number;
  readonly end: number;
};

/** Yields the members of the object, or the elements of the array, that begins at `start`. */
export function* membersOf(json: string, start: number): Generator<Member, void, void> {
  const isObject = json[start] === "{";
  let at = afterSpace(json, start + 1);
  while (at < json.length && !isClosing(json.charCodeAt(at))) {
    let name: string | undefined;
    if (isObject) {
      const end = afterText(json, at);
      name = json.slice(at, end);
      at = afterSpace(json, afterSpace(json, end) + 1);
    }
    const end = afterValue(json, at);
    yield { name, start: at, end };
    at = afterSpace(json, end);
    if (json.charCodeAt(at) === COMMA) at = afterSpace(json, at + 1);
  }
}
