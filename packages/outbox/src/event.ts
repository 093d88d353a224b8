import { InvalidEvent } from "./invalid-event.ts";

/** An event to add to an outbox. The outbox gives it its id. */
export type OutboxEvent = {
  readonly stream: string;
  /** The subject of the event. Events of one key keep their order. */
  readonly key: string;
  readonly type?: string | undefined;
  /** When it happened, as RFC 3339. The default is now. */
  readonly time?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
} & (
  | {
      /** Null deletes the key. */
      readonly data: unknown;
    }
  | {
      /** The data as JSON text. It is published byte for byte. */
      readonly dataText: string;
    }
);

/** The columns of an event's row. `headers` and `data` are JSON texts. */
export type OutboxColumns = {
  readonly stream: string;
  readonly key: string;
  readonly type: string | null;
  readonly time: string | null;
  readonly headers: string | null;
  readonly data: string;
};

/** An event that waits to be published. */
export type OutboxRow = Omit<OutboxColumns, "stream"> & {
  /** An integer as text, because it has 64 bits. */
  readonly position: string;
  readonly id: string;
};

const KEY_BYTES_MAX = 512;
const TYPE_BYTES_MAX = 256;
const EVENT_BYTES_MAX = 262_144;
const HEADERS_MAX = 32;
const HEADER_BYTES_MAX = 1_024;
const HEADER_NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const STREAM = /^[a-z0-9][a-z0-9._-]{0,127}$/;

/** Converts an event to columns. Throws InvalidEvent for an event that the ledger would refuse. */
export function toColumns(event: OutboxEvent, now: Date): OutboxColumns {
  const { stream, key, type = null, time = now.toISOString(), headers } = event;
  const refuse = (message: string, ...path: string[]) =>
    new InvalidEvent(event, [{ message, path }]);
  if (!STREAM.test(stream)) throw refuse(`${JSON.stringify(stream)} is not a name`, "stream");
  checkText(key, "key", KEY_BYTES_MAX, refuse);
  if (type !== null) checkText(type, "type", TYPE_BYTES_MAX, refuse);
  if (!MOMENT.test(time) || Number.isNaN(Date.parse(time))) {
    throw refuse(`${time} is not a moment of RFC 3339`, "time");
  }
  checkHeaders(headers, refuse);
  const data = "dataText" in event ? parsed(event.dataText, refuse) : print(event.data, refuse);
  if (!data.isWellFormed() || hasLoneEscape(data)) throw refuse("has a lone surrogate", "data");
  const columns = {
    stream,
    key,
    type,
    time,
    headers: headers === undefined ? null : JSON.stringify(headers),
    data,
  };
  const bytes = bytesOf(printRow({ ...columns, position: "0", id: "i".repeat(36) }));
  if (bytes > EVENT_BYTES_MAX) throw refuse(`is too large: ${bytes} of ${EVENT_BYTES_MAX} bytes`);
  return columns;
}

/** Prints a row as the JSON of a publish. The same row always gives the same text. */
export function printRow({ key, type, id, time, headers, data }: OutboxRow): string {
  const attributes = JSON.stringify({
    key,
    id,
    ...(type === null ? {} : { type }),
    ...(time === null ? {} : { time }),
  });
  const rest = headers === null ? "" : `,"headers":${headers}`;
  return `${attributes.slice(0, -1)}${rest},"data":${data}}`;
}

type Refuse = (message: string, ...path: string[]) => InvalidEvent;

function checkText(text: unknown, name: string, most: number, refuse: Refuse): void {
  if (typeof text !== "string" || text === "") throw refuse("must be a text", name);
  if (!text.isWellFormed()) throw refuse("has a lone surrogate", name);
  // PostgreSQL cannot store this character.
  if (text.includes("\u0000")) throw refuse("has the character U+0000", name);
  const bytes = bytesOf(text);
  if (bytes > most) throw refuse(`is too long: ${bytes} of ${most} bytes`, name);
}

function checkHeaders(headers: OutboxEvent["headers"] = {}, refuse: Refuse): void {
  const entries = Object.entries(headers);
  if (entries.length > HEADERS_MAX) throw refuse(`has more than ${HEADERS_MAX}`, "headers");
  for (const [name, value] of entries) {
    const isFit =
      HEADER_NAME.test(name) && value.isWellFormed() && bytesOf(value) <= HEADER_BYTES_MAX;
    if (!isFit) throw refuse("is not a header", "headers", name);
  }
}

/** Prints data as JSON. Refuses data that JSON would change silently. */
function print(data: unknown, refuse: Refuse): string {
  const text = JSON.stringify(data, (name, member: unknown) => {
    if (typeof member === "bigint") throw refuse("is a bigint: use dataText", "data", name);
    if (typeof member !== "number" || Number.isFinite(member)) return member;
    throw refuse(`${member} is not JSON`, "data", name);
  });
  if (text === undefined) throw refuse("is not JSON; null deletes a key", "data");
  if (text === "null" && data !== null) throw refuse("becomes null, which deletes the key", "data");
  return text;
}

function parsed(text: string, refuse: Refuse): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw refuse("is not JSON", "data");
  }
}

/**
 * Returns whether JSON contains a lone surrogate. JSON.stringify prints it as an escape, and never
 * escapes a pair.
 */
function hasLoneEscape(json: string): boolean {
  if (!/\\u[dD][89a-fA-F]/.test(json)) return false;
  let isLone = false;
  JSON.parse(json, (name, value: unknown) => {
    isLone ||= !name.isWellFormed() || (typeof value === "string" && !value.isWellFormed());
    return value;
  });
  return isLone;
}

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;
