import { again, backOff, fullJitterMs, retry } from "../kernel/retry.ts";
import {
  outcomeUnknown,
  READ_BACKOFF,
  readRows,
  storeUnavailable,
  writeRowsUntilKnown,
} from "./aws-error.ts";
import type { Connection } from "./connection.ts";

/** The maximum number of consecutive answers without any progress. */
const IDLE_TRIES = 8;

/** The answer to a batch of requests. The unprocessed ones must be sent again. */
type BatchRead<Row> = {
  readonly data: readonly (Row | null | undefined)[];
  readonly unprocessed: readonly unknown[];
};

/**
 * Returns the rows of these keys in their order, undefined for a key without a row. A key may be
 * there several times: it is requested once, because BatchGetItem refuses repeated keys. It may
 * answer a part and list the other keys as `UnprocessedKeys`, even when the table is healthy.
 * In its answer an unprocessed key looks like a key without a row. So the unprocessed keys are
 * requested again until there are none. `read` must keep the order of the keys. Throws
 * `store-unavailable` when the table makes no progress.
 */
export async function readEach<Key, Row>(
  connection: Connection,
  keys: readonly Key[],
  read: (keys: Key[]) => Promise<BatchRead<Row>>,
): Promise<(Row | undefined)[]> {
  const { clock, random } = connection;
  const names = keys.map((key) => JSON.stringify(key));
  const rows = new Map<string, Row>();
  let open = new Map(names.map((name, at) => [name, keys[at] as Key]));
  for (let idle = 0; open.size > 0; ) {
    const { data, unprocessed } = await readRows(connection, () => read([...open.values()]));
    for (const [index, name] of [...open.keys()].entries()) {
      const row = data[index];
      if (row !== null && row !== undefined) rows.set(name, row);
    }
    if (unprocessed.length === 0) break;
    const left = new Map([...open].filter(([name]) => !rows.has(name)));
    idle = left.size < open.size ? 0 : idle + 1;
    if (idle >= IDLE_TRIES) throw storeUnavailable(new Error("UnprocessedKeys"));
    await clock.sleep(fullJitterMs(random, idle, READ_BACKOFF));
    open = left;
  }
  return names.map((name) => rows.get(name));
}

/**
 * Deletes the rows of these keys once, and returns how many of them the table has processed.
 * BatchWriteItem may leave a part unprocessed. In that case this waits a moment for the table, and
 * the next search for rows to delete finds the rest. Repeating the call is harmless.
 */
export async function deleteEach<Key>(
  connection: Connection,
  keys: Key[],
  remove: (keys: Key[]) => Promise<{ readonly unprocessed: readonly unknown[] }>,
): Promise<number> {
  if (keys.length === 0) return 0;
  const { clock, random } = connection;
  const { unprocessed } = await writeRowsUntilKnown(connection, () => remove(keys));
  if (unprocessed.length > 0) await clock.sleep(fullJitterMs(random, 2, READ_BACKOFF));
  return keys.length - unprocessed.length;
}

/** The most rows that one BatchWriteItem writes. */
const WRITES_MAX = 25;

/**
 * Puts or deletes rows, many with each request. BatchWriteItem may leave a part unprocessed, even
 * when the table is healthy. The whole request is then sent again, which is harmless. Throws
 * `outcome-unknown` when the table keeps leaving a part.
 */
export async function writeEach<Row>(
  connection: Connection,
  rows: readonly Row[],
  write: (rows: Row[]) => Promise<{ readonly unprocessed: readonly unknown[] }>,
): Promise<void> {
  const limits = { tries: IDLE_TRIES, pause: backOff(connection, READ_BACKOFF) };
  for (let from = 0; from < rows.length; from += WRITES_MAX) {
    const some = rows.slice(from, from + WRITES_MAX);
    await retry(limits, async () => {
      const { unprocessed } = await writeRowsUntilKnown(connection, () => write(some));
      return unprocessed.length === 0 ? undefined : again(outcomeUnknown(UNPROCESSED));
    });
  }
}

const UNPROCESSED = new Error("UnprocessedItems");

/** The result of deleting one page of rows. */
export type DeletedPage = {
  readonly rows: number;
  /** True when the page had rows, so there may be more. */
  readonly more: boolean;
};
