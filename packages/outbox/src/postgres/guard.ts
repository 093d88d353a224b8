import type { About, GuardOptions, Received } from "../guard.ts";
import { tableName } from "../table-name.ts";
import { ask, type PostgresTransaction } from "./query.ts";
import { INBOX_TABLE } from "./schema.ts";

export type PostgresGuard = {
  /**
   * Returns whether the transaction should process this event: true the first time, and false when
   * the consumer has processed this or a later event of the key. If the transaction is rolled back,
   * the event counts as not processed.
   */
  once(tx: PostgresTransaction, event: Received, about: About): Promise<boolean>;
  /** Forgets everything, so that events are processed again, for example after a seek. */
  forget(tx: PostgresTransaction): Promise<void>;
};

/** Remembers the last sequence of each key that a consumer has processed. */
export function postgresGuard({ consumer, table = INBOX_TABLE }: GuardOptions): PostgresGuard {
  const name = tableName(table);
  return {
    async once(tx, { key, sequence }, { life }) {
      const rows = await ask(
        tx,
        `INSERT INTO ${name} AS known (consumer, life, key, sequence)
         VALUES ($1, $2, $3, $4::bigint)
         ON CONFLICT (consumer, life, key) DO UPDATE SET sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
         RETURNING 1 AS fresh`,
        ...[consumer, life, key, sequence],
      );
      return rows.length > 0;
    },
    async forget(tx) {
      await ask(tx, `DELETE FROM ${name} WHERE consumer = $1`, consumer);
    },
  };
}
