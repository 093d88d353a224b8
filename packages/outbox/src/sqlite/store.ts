import type { OutboxRow } from "../event.ts";
import type { OutboxStore } from "../store.ts";
import type { SqliteDatabase, SqliteValue } from "./database.ts";
import { transact } from "./transact.ts";

const DAY_MS = 86_400_000;
const NOW = "julianday('now')";

/** The outbox in SQLite. Each call is one transaction. */
export function sqliteStore(database: SqliteDatabase, table: string): OutboxStore {
  const relays = `${table}_relays`;
  const isFree = `refused IS NULL AND NOT EXISTS (
    SELECT 1 FROM ${table} AS parked WHERE parked.refused IS NOT NULL
    AND parked.stream = waiting.stream AND parked.key = waiting.key
    AND parked.position < waiting.position)`;
  const all = <T>(text: string, ...values: SqliteValue[]): T[] =>
    database.prepare(text).all(...values) as T[];
  const run = (text: string, ...values: SqliteValue[]): unknown =>
    database.prepare(text).run(...values);
  const places = `(SELECT value FROM json_each(
    (SELECT positions FROM ${relays} WHERE stream = ? AND batch = ?)))`;
  const end = `UPDATE ${relays} SET batch = NULL, positions = NULL, named = NULL
    WHERE stream = ? AND batch = ?`;

  return {
    async streams() {
      const rows = all<{ stream: string }>(
        `WITH RECURSIVE listed (stream) AS (
           SELECT min(stream) FROM ${table}
           UNION ALL
           SELECT (SELECT min(stream) FROM ${table} WHERE stream > listed.stream) FROM listed
           WHERE listed.stream IS NOT NULL
         )
         SELECT stream FROM listed WHERE EXISTS (
           SELECT 1 FROM ${table} AS waiting WHERE waiting.stream = listed.stream AND ${isFree})
         UNION SELECT stream FROM ${relays} WHERE batch IS NOT NULL`,
      );
      return rows.map(({ stream }) => stream);
    },

    claim: (stream, owner, leaseMs) =>
      transact(database, () => {
        const rows = all(
          `INSERT INTO ${relays} (stream, owner, until) VALUES (?, ?, ${NOW} + ?)
           ON CONFLICT (stream) DO UPDATE SET owner = excluded.owner, until = excluded.until
           WHERE owner IS excluded.owner OR until < ${NOW} RETURNING 1`,
          ...[stream, owner, leaseMs / DAY_MS],
        );
        return rows.length > 0;
      }),

    batch: (stream, owner, name, { eventsMax, bytesMax }) =>
      transact(database, () => {
        if (name !== undefined) {
          run(
            `UPDATE ${relays} SET batch = ?, named = ${NOW}, positions = (
               SELECT json_group_array(position) FROM (
                 SELECT position, row_number() OVER (ORDER BY position) AS place, sum(
                   length(CAST(data AS BLOB)) + length(CAST(key AS BLOB))
                   + coalesce(length(CAST(headers AS BLOB)), 0) + 512
                 ) OVER (ORDER BY position) AS bytes
                 FROM (
                   SELECT * FROM ${table} AS waiting WHERE waiting.stream = ? AND ${isFree}
                   ORDER BY waiting.position LIMIT ?
                 )
               ) WHERE bytes <= ? OR place = 1
             )
             WHERE stream = ? AND owner = ? AND batch IS NULL AND EXISTS (
               SELECT 1 FROM ${table} AS waiting WHERE waiting.stream = ? AND ${isFree})`,
            ...[name, stream, eventsMax, bytesMax, stream, owner, stream],
          );
        }
        const [begun] = all<{ batch: string; age: number }>(
          `SELECT batch, (${NOW} - named) * ${DAY_MS} AS age FROM ${relays}
           WHERE stream = ? AND batch IS NOT NULL`,
          stream,
        );
        if (begun === undefined) return undefined;
        const rows = all<OutboxRow>(
          `SELECT CAST(position AS TEXT) AS position, key, type, id, time, headers, data
           FROM ${table} WHERE position IN ${places} ORDER BY ${table}.position`,
          ...[stream, begun.batch],
        );
        return { id: begun.batch, ageMs: begun.age, rows };
      }),

    rename: (stream, from, to) =>
      transact(database, () => {
        const text = `UPDATE ${relays} SET batch = ?, named = ${NOW} WHERE stream = ? AND batch = ?`;
        run(text, to, stream, from);
      }),

    finish: (stream, id) =>
      transact(database, () => {
        run(`DELETE FROM ${table} WHERE position IN ${places}`, stream, id);
        run(end, stream, id);
      }),

    park: (stream, id, reasons) =>
      transact(database, () => {
        const isBegun = `EXISTS (SELECT 1 FROM ${relays} WHERE stream = ? AND batch = ?)`;
        for (const [position, reason] of reasons) {
          const text = `UPDATE ${table} SET refused = ? WHERE position = CAST(? AS INTEGER) AND ${isBegun}`;
          run(text, reason, position, stream, id);
        }
        run(end, stream, id);
      }),

    release: (owner) =>
      transact(database, () => {
        run(`UPDATE ${relays} SET owner = NULL, until = ${NOW} WHERE owner = ?`, owner);
      }),

    async waitingKeys(stream, keys) {
      const rows = all<{ key: string }>(
        `SELECT DISTINCT key FROM ${table}
         WHERE stream = ? AND key IN (SELECT value FROM json_each(?))`,
        ...[stream, JSON.stringify(keys)],
      );
      return new Set(rows.map(({ key }) => key));
    },
  };
}
