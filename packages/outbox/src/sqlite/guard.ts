import type { About, GuardOptions, Received } from "../guard.ts";
import { INBOX_TABLE } from "../postgres/schema.ts";
import { tableName } from "../table-name.ts";
import type { SqliteDatabase } from "./database.ts";

export type SqliteGuard = {
  /**
   * Returns whether the transaction should process this event: true the first time, and false when
   * the consumer has processed this or a later event of the key. If the transaction is rolled back,
   * the event counts as not processed.
   */
  once(tx: SqliteDatabase, event: Received, about: About): boolean;
  /** Forgets everything, so that events are processed again, for example after a seek. */
  forget(tx: SqliteDatabase): void;
};

/** Remembers the last sequence of each key that a consumer has processed. */
export function sqliteGuard({ consumer, table = INBOX_TABLE }: GuardOptions): SqliteGuard {
  const name = tableName(table);
  return {
    once(tx, { key, sequence }, { life }) {
      const text = `INSERT INTO ${name} (consumer, life, key, sequence) VALUES (?, ?, ?, ?)
        ON CONFLICT (consumer, life, key) DO UPDATE SET sequence = excluded.sequence
        WHERE sequence < excluded.sequence RETURNING 1`;
      return tx.prepare(text).all(consumer, life, key, sequence).length > 0;
    },
    forget(tx) {
      tx.prepare(`DELETE FROM ${name} WHERE consumer = ?`).run(consumer);
    },
  };
}
