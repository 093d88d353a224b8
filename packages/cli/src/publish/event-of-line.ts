import { UsageError } from "../io.ts";
import { membersOf, type NewEvent, type RawJson, rawJson } from "../sdk.ts";

export type EventToPublish = NewEvent<string | undefined, RawJson | null>;

export type LineRules = {
  /** The member of the line that is the key. If it is given, the whole line is the data. */
  readonly keyField?: string | undefined;
  /** The type for events that have none. */
  readonly type?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/**
 * The server's limit on keys. It is checked here first, so that a file with a wrong line is not
 * published in part.
 */
const KEY_BYTES_MAX = 512;
const EVENT_BYTES_MAX = 256 * 1024;
const MEMBERS = new Set(["key", "type", "id", "time", "headers", "expectedSequence", "data"]);
/** The further members of a line that `el read` has printed. */
const RECEIVED = new Set(["sequence", "publishedAt"]);

/**
 * Parses the event of a line. The data keeps its text. Throws `UsageError` without the line's
 * number.
 */
export function eventOfLine(line: string, rules: LineRules): EventToPublish {
  const value = parse(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UsageError("is not an object", "el publish --help");
  }
  const event =
    rules.keyField === undefined
      ? wholeEvent(line, value as Record<string, unknown>)
      : { key: keyIn(line, rules.keyField), data: rawJson(line.trim()) };
  const typed = event.type === undefined ? { ...event, type: rules.type } : event;
  const headers = rules.headers && { ...rules.headers, ...typed.headers };
  const whole = headers === undefined ? typed : { ...typed, headers };
  assertSize(whole);
  return whole;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = /^\s*\[/.test(text) ? "jq -c '.[]' FILE | el publish STREAM" : undefined;
    throw new UsageError(`is not JSON: ${(error as Error).message}`, hint);
  }
}

function wholeEvent(line: string, value: Record<string, unknown>): EventToPublish {
  const spans = membersOf(line);
  const names = new Set<string>();
  for (const { name } of spans) {
    if (names.has(name)) throw new UsageError(`has "${name}" twice`);
    names.add(name);
    if (MEMBERS.has(name) || RECEIVED.has(name)) continue;
    throw new UsageError(
      `has "${name}", which no event has. --key-field NAME publishes whole lines as data`,
    );
  }
  const { key } = value;
  if (typeof key !== "string" || key === "") {
    throw new UsageError('needs a "key" that is a text. --key-field NAME takes it from the data');
  }
  const data = spans.find(({ name }) => name === "data");
  if (data === undefined) throw new UsageError('has no "data". null deletes the key');
  const { type, id, time, headers, expectedSequence } = value as unknown as EventToPublish;
  return {
    key,
    type,
    id,
    time,
    headers,
    expectedSequence,
    data: data.text === "null" ? null : rawJson(data.text),
  };
}

/** Returns the key at a path such as `customer.id`. A number keeps its spelling. */
function keyIn(line: string, path: string): string {
  let text = line;
  for (const part of path.split(".")) {
    if (!text.trimStart().startsWith("{")) throw new UsageError(`has no member "${path}"`);
    const found = membersOf(text).findLast(({ name }) => name === part);
    if (found === undefined) throw new UsageError(`has no member "${path}"`);
    text = found.text;
  }
  if (text.startsWith('"')) return JSON.parse(text);
  if (/^-?\d/.test(text)) return text;
  throw new UsageError(`has a "${path}" that is neither text nor a number`);
}

const encoder = new TextEncoder();

function assertSize({ key, data }: EventToPublish): void {
  const keyBytes = encoder.encode(key).length;
  if (keyBytes > KEY_BYTES_MAX) {
    throw new UsageError(`has a key of ${keyBytes} bytes; at most ${KEY_BYTES_MAX} are allowed`);
  }
  const size = data === null ? 0 : sizeOf(data);
  if (size > EVENT_BYTES_MAX) {
    throw new UsageError(`has data of ${size} bytes; an event takes at most ${EVENT_BYTES_MAX}`);
  }
}

/** Returns the size of an event's data in bytes. */
export const sizeOf = (data: RawJson | null): number =>
  data === null ? 4 : Buffer.byteLength(data.text);
