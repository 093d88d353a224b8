import type { FakeStream } from "./fake-log.ts";
import { Refusal } from "./fake-problem.ts";

/** The content of a cursor of the fake. */
export type CursorContent = {
  readonly kind: "log" | "list" | "poll";
  readonly life: string;
  readonly position: number;
  /** For a list: the prefix, and the key after which the list continues. */
  readonly prefix?: string;
  readonly after?: string;
  /** For a list of changes: the number of events before the first of them. */
  readonly since?: number | undefined;
  /** For a poll: its subscription, the number of its seeks, and the worker. */
  readonly subscription?: string;
  readonly seeks?: number;
  readonly fence?: number;
  /** The number of states of the snapshot that are read. Undefined in the log. */
  readonly snapshot?: number;
  /** The last delivered sequence of each retried key. */
  readonly retried?: readonly (readonly [string, number])[];
};

export function writeCursor(content: CursorContent): string {
  const text = JSON.stringify(content);
  return encode(`${checksum(text).toString(36).padStart(7, "0")}${text}`);
}

/** Reads a cursor of the current life and of one of these kinds. */
export function readCursor(
  stream: FakeStream,
  cursor: string,
  kinds: readonly CursorContent["kind"][],
): CursorContent {
  const refuse = (reason: string) =>
    new Refusal("invalid-cursor", `The cursor is refused: ${reason}`, { reason });
  const text = decode(cursor);
  const body = text?.slice(7) ?? "";
  if (text === undefined || Number.parseInt(text.slice(0, 7), 36) !== checksum(body)) {
    throw refuse("malformed");
  }
  const content: CursorContent = JSON.parse(body);
  if (!content.life.startsWith(`${stream.name}/`)) throw refuse("other-stream");
  if (content.life !== stream.life) throw refuse("other-life");
  if (!kinds.includes(content.kind)) throw refuse("other-query");
  return content;
}

function encode(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decode(cursor: string): string | undefined {
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/** FNV-1a. */
function checksum(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
