import { fullJitterMs } from "../kernel/random.ts";
import { READ_BACKOFF, readRows, storeUnavailable, writeRowsUntilKnown } from "./aws-error.ts";
import type { Connection } from "./connection.ts";

/** How often in a row nothing at all may be answered. */
const IDLE_TRIES = 8;

/** What a batch of requests comes back with: what was not dealt with has to be asked for again. */
type BatchRead<Row> = {
  readonly data: readonly (Row | null | undefined)[];
  readonly unprocessed: readonly unknown[];
};

/**
 * The rows of these keys, in their order, undefined where there is none. BatchGetItem may answer a
 * part and give the rest back as `UnprocessedKeys`, also when nothing is wrong with the table; a
 * key that was given back looks like one without a row. So what is missing is asked for again until
 * nothing is given back. `read` must keep the order of the keys. Throws `store-unavailable` when
 * the table makes no progress.
 */
export async function readEach<Key, Row>(
  connection: Connection,
  keys: readonly Key[],
  read: (keys: Key[]) => Promise<BatchRead<Row>>,
): Promise<(Row | undefined)[]> {
  const { clock, random } = connection;
  const rows: (Row | undefined)[] = keys.map(() => undefined);
  let open = [...keys.entries()];
  for (let idle = 0; open.length > 0; ) {
    const { data, unprocessed } = await readRows(connection, () =>
      read(open.map(([, key]) => key)),
    );
    for (const [index, [at]] of open.entries()) rows[at] = data[index] ?? undefined;
    if (unprocessed.length === 0) break;
    const left = open.filter(([at]) => rows[at] === undefined);
    idle = left.length < open.length ? 0 : idle + 1;
    if (idle >= IDLE_TRIES) throw storeUnavailable(new Error("UnprocessedKeys"));
    await clock.sleep(fullJitterMs(random, idle, READ_BACKOFF));
    open = left;
  }
  return rows;
}

/**
 * Deletes the rows of these keys once, and returns how many of them the table has dealt with:
 * BatchWriteItem may give a part back. The next look for rows to delete finds what is left; this
 * waits a moment for the table first. Doing it twice is harmless.
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

/** What came of deleting one page of rows. */
export type DeletedPage = {
  readonly rows: number;
  /** There were rows, so there may be more. */
  readonly more: boolean;
};
