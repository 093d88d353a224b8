import { type OutboxEvent, toColumns } from "../event.ts";
import { type Publishing, publishing } from "../outbox.ts";
import { OUTBOX_TABLE } from "../postgres/schema.ts";
import type { OutboxStatus, ParkedEvent } from "../store.ts";
import type { SqliteDatabase } from "./database.ts";
import { sqliteOutboxSchema } from "./schema.ts";
import { sqliteStore } from "./store.ts";
import { transact } from "./transact.ts";

export type SqliteOutboxOptions = {
  /**
   * The connection of the relay. It may be the one that adds events, or another one to the same
   * file.
   */
  readonly database: SqliteDatabase;
  /** The name of the table. */
  readonly table?: string | undefined;
};

export type SqliteOutbox = Publishing & {
  /** Creates the tables that do not exist. `eventledger-outbox sql` prints the same SQL. */
  create(): void;
  /** Adds events in the transaction that is open on this connection. */
  add(tx: SqliteDatabase, events: OutboxEvent | readonly OutboxEvent[]): void;
  status(): OutboxStatus;
  /** The events that the ledger refused. */
  parked(): readonly ParkedEvent[];
  /** Publishes a parked event again, for example after its row was corrected. */
  retry(position: string): Promise<void>;
  /** Discards a parked event. Later events of its key continue. */
  skip(position: string): Promise<void>;
};

/** An outbox in SQLite 3.38 or later. */
export function sqliteOutbox({
  database,
  table = OUTBOX_TABLE,
}: SqliteOutboxOptions): SqliteOutbox {
  const schema = sqliteOutboxSchema(table);
  return {
    ...publishing(sqliteStore(database, table)),
    create() {
      for (const statement of schema) database.exec(statement);
    },
    add(tx, events) {
      const list = isList(events) ? events : [events];
      const columns = list.map((event) => toColumns(event, new Date()));
      const insert = tx.prepare(
        `INSERT INTO ${table} (stream, key, type, time, headers, data) VALUES (?, ?, ?, ?, ?, ?)`,
      );
      for (const { stream, key, type, time, headers, data } of columns) {
        insert.run(stream, key, type, time, headers, data);
      }
    },
    status() {
      const text = `SELECT count(*) AS waiting, count(refused) AS parked,
        max(0, coalesce((julianday('now') - min(added)) * 86400, 0)) AS oldestSeconds FROM ${table}`;
      return { ...(database.prepare(text).get() as OutboxStatus) };
    },
    parked() {
      const text = `SELECT CAST(position AS TEXT) AS position, stream, key, type, id, time, headers,
        data, refused AS reason
        FROM ${table} WHERE refused IS NOT NULL ORDER BY ${table}.position`;
      return database.prepare(text).all() as ParkedEvent[];
    },
    retry: (position) =>
      transact(database, () => {
        const text = `UPDATE ${table} SET refused = NULL WHERE position = CAST(? AS INTEGER)`;
        database.prepare(text).run(position);
      }),
    skip: (position) =>
      transact(database, () => {
        const text = `DELETE FROM ${table}
          WHERE position = CAST(? AS INTEGER) AND refused IS NOT NULL`;
        database.prepare(text).run(position);
      }),
  };
}

const isList = (given: OutboxEvent | readonly OutboxEvent[]): given is readonly OutboxEvent[] =>
  Array.isArray(given);
