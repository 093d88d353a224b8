import type { CursorKey } from "@eventledger/core";

/** Matches a secret that fits in an HTTP header and is too long to guess. */
export const SECRET_PATTERN = /^[!-~]{16,255}$/;

const FORM = "16 to 255 visible ASCII characters without spaces";
const ENTRY = /^(?:(\d{1,3}):)?(.+)$/;

/** Throws an Error with one line that says what to set. */
export function assertAdminKey(text: string): void {
  if (SECRET_PATTERN.test(text)) return;
  throw new Error(`Set AdminKey (or EVENTLEDGER_ADMIN_KEY) to ${FORM}: ${isNow(text)}.`);
}

/** Throws an Error with one line that says what to set. */
export function assertPushKey(text: string): void {
  if (SECRET_PATTERN.test(text)) return;
  throw new Error(`Set PushKey (or EVENTLEDGER_PUSH_KEY) to ${FORM}: ${isNow(text)}.`);
}

/** Checks each of the keys that sign cursors. Throws an Error with one line. */
export function assertCursorKeys(text: string): void {
  const weak = entriesOf(text).find(({ secret }) => !SECRET_PATTERN.test(secret));
  if (weak !== undefined) throw wrongCursorKeys(isNow(weak.secret));
  readCursorKeys(text);
}

/**
 * Parses the keys that sign cursors: entries `<id>:<secret>` separated by commas, with ids from 1
 * to 255. A secret without an id has the id 1. The first entry signs, and all are accepted. Throws
 * an Error with one line when an id is invalid.
 */
export function readCursorKeys(text: string): CursorKey[] {
  const keys = entriesOf(text).map(({ id, secret }) => ({ id, secret: Buffer.from(secret) }));
  const ids = new Set(keys.map(({ id }) => id));
  if (ids.size < keys.length) throw wrongCursorKeys("two have the same id");
  if (ids.has(0) || Math.max(...ids) > 255) throw wrongCursorKeys("an id is not from 1 to 255");
  return keys;
}

const entriesOf = (text: string): { id: number; secret: string }[] =>
  text.split(",").map((entry) => {
    const [, id = "1", secret = ""] = ENTRY.exec(entry.trim()) ?? [];
    return { id: Number(id), secret };
  });

const wrongCursorKeys = (why: string): Error =>
  new Error(
    `Set CursorKey (or EVENTLEDGER_CURSOR_KEYS) to a secret, or to several as <id>:<secret> separated by commas, the newest first. A secret is ${FORM}: ${why}.`,
  );

/** Describes what is wrong with a secret without showing the secret. */
const isNow = ({ length }: string): string =>
  length === 0 ? "it is not set" : `it has ${length} characters, or characters outside that set`;
